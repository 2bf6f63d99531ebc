// Which address shows which page: all but the first are fetched when they are first visited.
import type { RouteConfig } from "@lit-labs/router";
import { html, type TemplateResult } from "lit";
import type { FleetStore } from "./live/store.ts";
import "./pages/overview-page.ts";

type Load = () => Promise<unknown>;
type Enter = () => Promise<boolean>;
type Params = Record<string, string | undefined>;

interface Page {
  path: string;
  load?: Load;
  show: (store: FleetStore, params: Params) => TemplateResult;
}

const PAGES: readonly Page[] = [
  { path: "/", show: (store) => html`<overview-page .store=${store}></overview-page>` },
  {
    path: "/models",
    load: () => import("./pages/models-page.ts"),
    show: (store) => html`<models-page .store=${store}></models-page>`,
  },
  {
    path: "/models/:id",
    load: () => import("./pages/version-page.ts"),
    show: (store, { id }) => html`<version-page .store=${store} .version=${id ?? ""}></version-page>`,
  },
  {
    path: "/models/:id/deploy",
    load: () => import("./pages/deploy-page.ts"),
    show: (store, { id }) => html`<deploy-page .store=${store} .version=${id ?? ""}></deploy-page>`,
  },
  {
    path: "/deployments",
    load: () => import("./pages/deployments-page.ts"),
    show: (store) => html`<deployments-page .store=${store}></deployments-page>`,
  },
  {
    path: "/deployments/:id",
    load: () => import("./pages/deployment-page.ts"),
    show: (store, { id }) => html`<deployment-page .store=${store} .deploymentId=${id ?? ""}></deployment-page>`,
  },
  {
    path: "/groups",
    load: () => import("./pages/groups-page.ts"),
    show: (store) => html`<groups-page .store=${store}></groups-page>`,
  },
  {
    path: "/groups/:name",
    load: () => import("./pages/group-page.ts"),
    show: (store, { name }) => html`<group-page .store=${store} .group=${name ?? ""}></group-page>`,
  },
  {
    path: "/devices",
    load: () => import("./pages/devices-page.ts"),
    show: (store) => html`<devices-page .store=${store}></devices-page>`,
  },
  {
    path: "/devices/:id",
    load: () => import("./pages/device-page.ts"),
    show: (store, { id }) => html`<device-page .store=${store} .deviceId=${id ?? ""}></device-page>`,
  },
  {
    path: "/audit",
    load: () => import("./pages/audit-page.ts"),
    show: (store) => html`<audit-page .store=${store}></audit-page>`,
  },
  {
    path: "/settings",
    load: () => import("./pages/settings-page.ts"),
    show: (store) => html`<settings-page .store=${store}></settings-page>`,
  },
  {
    path: "/settings/:part",
    load: () => import("./pages/settings-page.ts"),
    show: (store, { part }) => html`<settings-page .store=${store} .shown=${part ?? ""}></settings-page>`,
  },
  {
    path: "/setup",
    load: () => import("./pages/set-up-page.ts"),
    show: (store) => html`<set-up-page .store=${store}></set-up-page>`,
  },
  {
    path: "/*",
    show: () =>
      html`<h1>Not found</h1>
        <p>There is no such page. <a href="/">Go to the overview</a>.</p>`,
  },
];

/** @param lazily makes of a fetch what the router waits for before it shows the page. */
export function pagesOf(store: FleetStore, lazily: (load: Load) => Enter): RouteConfig[] {
  return PAGES.map(({ path, load, show }) => ({
    path,
    render: (params: Params) => show(store, params),
    ...(load ? { enter: lazily(load) } : {}),
  }));
}
