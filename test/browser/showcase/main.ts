// `node test/browser/showcase/main.ts`: the story's hub on a port of its own, to look at and to design against; ends with Ctrl-C.
import { tellStory } from "./story.ts";

const story = await tellStory({ HUB_PORT: process.argv[2] ?? "0" });
console.log(JSON.stringify({ url: story.url, ...story.deployments }));
