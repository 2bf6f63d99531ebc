// Who did what, newest first: the append-only history.
import type { Event } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state as reactive } from "lit/decorators.js";
import { api } from "../live/client.ts";
import type { FleetState } from "../live/state.ts";
import { PageElement } from "./page-element.ts";

@customElement("activity-page")
export class ActivityPage extends PageElement {
  @reactive() private events: readonly Event[] = [];
  @reactive() private cursor: string | null = null;
  @reactive() private failure = "";
  private shownUpTo = -1;

  protected override page(state: FleetState): TemplateResult {
    if (state.lastEventId > this.shownUpTo) {
      this.shownUpTo = state.lastEventId;
      void this.load(null);
    }
    return html`
      <h1>Activity</h1>
      ${this.failure ? html`<p class="callout bad" role="alert">${this.failure}</p>` : nothing}
      <ol class="activity">
        ${this.events.map(
          (event) =>
            html`<li class="card">
              <span class="kind">${event.kind}</span>
              <span>${event.summary}</span>
              <time-ago class="muted" at=${event.at}></time-ago>
            </li>`,
        )}
      </ol>
      ${this.cursor ? html`<button @click=${() => this.load(this.cursor)}>Load more</button>` : nothing}
    `;
  }

  private async load(cursor: string | null): Promise<void> {
    try {
      const page = await api.audit(cursor);
      this.events = cursor === null ? page.items : [...this.events, ...page.items];
      this.cursor = page.next_cursor;
      this.failure = "";
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "activity-page": ActivityPage;
  }
}
