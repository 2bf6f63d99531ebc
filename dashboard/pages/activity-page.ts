// Who did what, newest first: the append-only history.
import type { Event } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state as reactive } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { api } from "../live/client.ts";
import { append, prepend } from "../live/history.ts";
import { failureInWords } from "../parts/failure.ts";
import { PageElement } from "./page-element.ts";

@customElement("activity-page")
export class ActivityPage extends PageElement {
  /** Newest first, without gaps: from the newest event down to as far as was loaded. */
  @reactive() private events: readonly Event[] = [];
  @reactive() private cursor: string | null = null;
  @reactive() private failure: Error | null = null;
  @reactive() private isLoading = false;
  private askedUpTo = -1;

  override updated(): void {
    const { lastEventId, loaded } = this.store.state;
    if (!loaded || lastEventId <= this.askedUpTo) return;
    this.askedUpTo = lastEventId;
    void this.load(null);
  }

  protected override page(): TemplateResult {
    return html`
      <h1>Activity</h1>
      ${this.failure ? failureInWords(this.failure) : nothing}
      ${this.events.length === 0 ? this.renderEmpty() : nothing}
      <ol class="activity">
        ${repeat(
          this.events,
          ({ id }) => id,
          (event) =>
            html`<li class="card">
              <span class="kind">${event.kind}</span>
              <span>${event.summary}</span>
              <time-ago class="muted" at=${event.at}></time-ago>
            </li>`,
        )}
      </ol>
      ${
        this.cursor
          ? html`<button ?disabled=${this.isLoading} @click=${() => this.load(this.cursor)}>
              ${this.isLoading ? "Loading …" : "Load more"}
            </button>`
          : nothing
      }
    `;
  }

  private renderEmpty(): TemplateResult {
    return html`<p class="card quiet-card">
      ${this.isLoading ? "Loading the history …" : "Nothing has happened yet."}
    </p>`;
  }

  private async load(cursor: string | null): Promise<void> {
    this.isLoading = true;
    try {
      const page = await api.audit(cursor);
      const next = cursor === null ? prepend(page.items, this.events) : append(this.events, page.items);
      // Older pages that were loaded stay, unless so much happened meanwhile that there would be a gap before them.
      if (cursor !== null || next === page.items) this.cursor = page.next_cursor;
      this.events = next;
      this.failure = null;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.isLoading = false;
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "activity-page": ActivityPage;
  }
}
