// Who did what to what and why, newest first: the append-only history, found by words, person, subject, kind and time.
import type { Event as Told } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state as reactive } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { withReadableTimes } from "../format/time.ts";
import { type AuditFilter, api } from "../live/client.ts";
import { append, prepend } from "../live/history.ts";
import { failureInWords } from "../parts/failure.ts";
import { PageElement } from "./page-element.ts";

const PAUSE_MS = 250;
const KINDS: readonly [string, string][] = [
  ["", "Everything"],
  ["version", "Versions"],
  ["deployment", "Deployments"],
  ["gate", "Gates"],
  ["device", "Devices"],
  ["group", "Groups"],
  ["quarantine", "Quarantine"],
  ["user", "People"],
  ["token", "Tokens"],
];

@customElement("audit-page")
export class AuditPage extends PageElement {
  /** Newest first, without gaps: from the newest event down to as far as was loaded. */
  @reactive() private events: readonly Told[] = [];
  @reactive() private cursor: string | null = null;
  @reactive() private failure: Error | null = null;
  @reactive() private isLoading = false;
  @reactive() private filter: AuditFilter = filterOf(globalThis.location.search);
  private askedUpTo = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  override updated(): void {
    const { lastEventId, loaded } = this.store.state;
    if (!loaded || lastEventId <= this.askedUpTo) return;
    this.askedUpTo = lastEventId;
    void this.load(null);
  }

  protected override page(): TemplateResult {
    return html`
      <h1>Audit</h1>
      <p class="lead">
        Every decision and what came of it, in a chain of hashes that shows when a row is missing or changed.
      </p>
      ${this.renderFilters()} ${this.failure ? failureInWords(this.failure) : nothing}
      ${this.events.length === 0 ? this.renderEmpty() : nothing}
      <ol class="audit">
        ${repeat(this.events, ({ id }) => id, row)}
      </ol>
      ${
        this.cursor
          ? html`<p class="more">
              <button ?disabled=${this.isLoading} @click=${() => this.load(this.cursor)}>
                ${this.isLoading ? "Loading …" : "Load more"}
              </button>
            </p>`
          : nothing
      }
    `;
  }

  private renderFilters(): TemplateResult {
    const field = (key: keyof AuditFilter, label: string, type = "search") =>
      html`<input
        type=${type}
        aria-label=${label}
        placeholder=${label}
        .value=${this.filter[key] ?? ""}
        @input=${(event: Event) => this.narrow({ [key]: valueOf(event) })}
      />`;
    return html`<form class="filters" role="search" @submit=${(event: Event) => event.preventDefault()}>
      ${field("q", "Find words, a person or a device")}
      <select aria-label="Kind" @change=${(event: Event) => this.narrow({ kind: valueOf(event) })}>
        ${KINDS.map(([kind, words]) => html`<option value=${kind} ?selected=${kind === (this.filter.kind ?? "")}>${words}</option>`)}
      </select>
      <label class="inline">From ${field("from", "From", "date")}</label>
      <label class="inline">to ${field("to", "To", "date")}</label>
    </form>`;
  }

  private renderEmpty(): TemplateResult {
    const isNarrowed = Object.values(this.filter).some((value) => value !== "");
    return html`<p class="card quiet-card">
      ${this.isLoading ? "Loading the history …" : isNarrowed ? "Nothing in the history matches." : "Nothing has happened yet."}
    </p>`;
  }

  private narrow(some: AuditFilter): void {
    this.filter = { ...this.filter, ...some };
    const given = Object.entries(this.filter).filter(([, value]) => value !== "");
    globalThis.history.replaceState({}, "", given.length === 0 ? "/audit" : `/audit?${new URLSearchParams(given)}`);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.events = [];
      void this.load(null);
    }, PAUSE_MS);
  }

  private async load(cursor: string | null): Promise<void> {
    const filter = this.filter;
    this.isLoading = true;
    try {
      const page = await api.audit(cursor, asAsked(filter));
      if (filter !== this.filter) return;
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

function row({ kind, summary, at, actor, subject, data }: Told): TemplateResult {
  const reason = typeof data["reason"] === "string" ? data["reason"] : "";
  return html`<li>
    <time-ago class="muted" at=${at}></time-ago>
    <div>
      <p>${withReadableTimes(summary)}</p>
      <p class="muted">
        <span class="kind">${kind}</span> by
        ${actor}${subject ? html` · ${subjectIn(kind, subject)}` : nothing}${
          reason && !summary.includes(reason) ? html` · ${reason}` : nothing
        }
      </p>
    </div>
  </li>`;
}

/** What a row is about, as the page that tells more of it where there is one. */
function subjectIn(kind: string, subject: string): TemplateResult | string {
  const [about] = kind.split(".");
  if (about === "device") return html`<a href="/devices/${subject}">${subject}</a>`;
  if (about === "group") return html`<a href="/groups/${subject}">${subject}</a>`;
  if (about === "deployment" || about === "gate") return html`<a href="/deployments/${subject}">${subject}</a>`;
  const version = /^default\/(.+)$/.exec(subject)?.[1];
  return version === undefined ? subject : html`<a href="/models/${version}">${version}</a>`;
}

/** Days are whole in the reader's own time zone. */
function asAsked({ from, to, ...rest }: AuditFilter): AuditFilter {
  const start = (day: string, add: number) => {
    const date = new Date(`${day}T00:00:00`);
    date.setDate(date.getDate() + add);
    return date.toISOString();
  };
  return { ...rest, ...(from ? { from: start(from, 0) } : {}), ...(to ? { to: start(to, 1) } : {}) };
}

function filterOf(search: string): AuditFilter {
  const query = new URLSearchParams(search);
  const keys = ["q", "kind", "from", "to"] as const;
  return Object.fromEntries(keys.map((key) => [key, query.get(key) ?? ""]));
}

const valueOf = (event: Event) => (event.target as HTMLInputElement).value;

declare global {
  interface HTMLElementTagNameMap {
    "audit-page": AuditPage;
  }
}
