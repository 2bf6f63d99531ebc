// The few pictograms of the navigation and of buttons: lines on a grid of 24, in the colour of the text beside them.
import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

export type IconName =
  | "overview"
  | "models"
  | "deployments"
  | "groups"
  | "devices"
  | "audit"
  | "settings"
  | "copy"
  | "sun"
  | "moon"
  | "leave";

const SHAPES: Record<IconName, SVGTemplateResult> = {
  overview: svg`<path d="M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z" />`,
  models: svg`<path d="M12 3 4 7.5v9L12 21l8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9" />`,
  deployments: svg`<path d="M12 20V5m0 0-5.5 5.5M12 5l5.5 5.5M5 20h14" />`,
  groups: svg`<path d="M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z" />`,
  devices: svg`<path d="M7 7h10v10H7zM10 3v4m4-4v4m-4 10v4m4-4v4M3 10h4m-4 4h4m10-4h4m-4 4h4" />`,
  audit: svg`<path d="M6 3h9l4 4v14H6zM15 3v4h4M9 12h7m-7 4h7" />`,
  settings: svg`<path d="M4 7h9m4 0h3M4 12h3m4 0h9M4 17h9m4 0h3" /><circle cx="15" cy="7" r="2" /><circle cx="9" cy="12" r="2" /><circle cx="15" cy="17" r="2" />`,
  copy: svg`<path d="M8 8h12v12H8zM4 16V4h12" />`,
  sun: svg`<circle cx="12" cy="12" r="4" /><path d="M12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5m11 11L19 19M5 19l1.5-1.5m11-11L19 5" />`,
  moon: svg`<path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z" />`,
  leave: svg`<path d="M14 4H5v16h9M10 12h11m0 0-4-4m4 4-4 4" />`,
};

export function icon(name: IconName): TemplateResult {
  return html`<svg
    class="icon"
    viewBox="0 0 24 24"
    width="18"
    height="18"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    ${SHAPES[name]}
  </svg>`;
}
