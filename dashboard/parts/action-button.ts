// A button for an action that may not be possible now: shown all the same, disabled, with the reason.
import { html, nothing, type TemplateResult } from "lit";
import type { Obstacle } from "../live/allowed.ts";

export interface Action {
  label: string;
  why: Obstacle;
  tone?: "primary" | "danger";
  onClick: () => void;
}

export function actionButton({ label, why, tone, onClick }: Action): TemplateResult {
  return html`<button
    type="button"
    class=${tone ?? nothing}
    ?disabled=${why !== null}
    title=${why ?? nothing}
    @click=${onClick}
  >
    ${label}
  </button>`;
}
