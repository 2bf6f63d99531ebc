// The base of every part of the settings: it fetches its list, shows why it cannot, and fetches again after each change.
import { html, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { FleetStore } from "../live/store.ts";
import { ask, type Question, type Shown } from "../parts/ask.ts";
import { failureInWords } from "../parts/failure.ts";
import { LightElement } from "../parts/light-element.ts";

export abstract class SettingsPart<T> extends LightElement {
  @property({ attribute: false }) store!: FleetStore;
  @state() protected items: T | null = null;
  @state() private failure: Error | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  override render(): TemplateResult {
    if (this.failure) return failureInWords(this.failure);
    if (!this.items) return html`<p class="muted loading" aria-busy="true">Asking the hub …</p>`;
    return this.show(this.items);
  }

  protected abstract fetch(): Promise<T>;
  protected abstract show(items: T): TemplateResult;

  protected async load(): Promise<void> {
    try {
      this.items = await this.fetch();
      this.failure = null;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** A question whose answer changes the list. */
  protected askAndReload(question: Question): void {
    ask(this, {
      ...question,
      run: async (reason): Promise<string | Shown> => {
        const done = await question.run(reason);
        await this.load();
        return done;
      },
    });
  }
}

export const valueOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;

/** One labelled field of a question; what is typed goes where the question keeps it. */
export function textField(
  label: string,
  keep: (value: string) => void,
  more: { hint?: string; type?: string; autocomplete?: string } = {},
) {
  return html`<label class="field"
    ><span>${label}</span>
    <input
      type=${more.type ?? "text"}
      autocomplete=${more.autocomplete ?? "off"}
      @input=${(event: Event) => keep(valueOf(event).trim())}
    />
    ${more.hint ? html`<small class="muted">${more.hint}</small>` : ""}</label
  >`;
}
