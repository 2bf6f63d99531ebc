// Types of the one module of undici that straight downloads load: the whole package takes 8 MB more of resident memory.
declare module "undici/lib/dispatcher/agent.js" {
  export { Agent as default } from "undici";
}
