// The one dialog: shows a question, runs its action with visible progress, and says what went wrong and what to do next.
import "@awesome.me/webawesome/dist/components/dialog/dialog.js";
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Question, Shown } from "./ask.ts";
import { failureInWords } from "./failure.ts";
import { LightElement } from "./light-element.ts";

@customElement("question-dialog")
export class QuestionDialog extends LightElement {
  @property({ attribute: false }) question: Question | null = null;
  @property({ attribute: false }) onDone: (question: Question, message: string | null) => void = () => undefined;
  @state() private reason = "";
  @state() private isBusy = false;
  @state() private failure: Error | null = null;
  @state() private shown: Shown | null = null;

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("question")) return;
    this.reason = "";
    this.failure = null;
    this.shown = null;
    this.isBusy = false;
  }

  override render() {
    const { question } = this;
    if (!question) return nothing;
    if (this.shown) return this.renderShown(this.shown);
    const obstacle = this.obstacle(question);
    return html`<wa-dialog open label=${question.title} @wa-after-hide=${this.close}>
      <form class="dialog-body" @change=${() => this.requestUpdate()} @submit=${this.confirm}>
        ${question.body()} ${question.reason ? this.renderReason(question) : nothing}
        ${this.failure ? failureInWords(this.failure) : nothing}
        <p class="obstacle" aria-live="polite">${obstacle ?? ""}</p>
        <div class="dialog-actions">
          <button type="button" class="quiet" @click=${this.close}>Cancel</button>
          <button
            type="submit"
            class=${question.danger ? "danger" : "primary"}
            ?disabled=${obstacle !== null || this.isBusy}
          >
            ${this.isBusy ? "Working …" : question.confirmLabel()}
          </button>
        </div>
      </form>
    </wa-dialog>`;
  }

  private renderShown({ message, body }: Shown) {
    return html`<wa-dialog open label=${message} @wa-after-hide=${this.close}>
      <div class="dialog-body">
        ${body()}
        <div class="dialog-actions"><button type="button" class="primary" @click=${this.close}>Done</button></div>
      </div>
    </wa-dialog>`;
  }

  private renderReason(question: Question) {
    const label = question.reasonLabel ?? (question.reason === "required" ? "Reason" : "Reason (optional)");
    return html`<label class="field"
      ><span>${label}</span>
      <textarea
        rows="2"
        .value=${this.reason}
        ?required=${question.reason === "required"}
        @input=${(event: InputEvent) => {
          this.reason = (event.target as HTMLTextAreaElement).value;
        }}
      ></textarea>
    </label>`;
  }

  private obstacle(question: Question): string | null {
    if (question.reason === "required" && this.reason.trim().length < 3)
      return "Say why: the reason is kept in the audit.";
    return question.obstacle?.() ?? null;
  }

  private readonly confirm = async (event: SubmitEvent) => {
    event.preventDefault();
    const { question } = this;
    if (!question || this.isBusy || this.obstacle(question) !== null) return;
    this.isBusy = true;
    this.failure = null;
    try {
      const done = await question.run(this.reason.trim());
      if (typeof done === "string") this.onDone(question, done);
      else if (this.question === question) this.shown = done;
      else this.onDone(question, done.message);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      // Whoever closed the dialog meanwhile is told all the same, where everything is told.
      if (this.question === question) this.failure = failure;
      else this.onDone(question, failure.message);
    } finally {
      if (this.question === question) this.isBusy = false;
    }
  };

  private readonly close = (event?: Event) => {
    // Menus inside the dialog hide too; only the dialog's own hiding closes it.
    if (event?.type === "wa-after-hide" && event.target !== this.querySelector("wa-dialog")) return;
    if (this.question) this.onDone(this.question, this.shown?.message ?? null);
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "question-dialog": QuestionDialog;
  }
}
