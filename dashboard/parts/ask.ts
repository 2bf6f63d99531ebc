// Asking before acting: what will change, said exactly, and a verb to confirm it. The shell's dialog answers these events.
import type { TemplateResult } from "lit";

export interface Question {
  title: string;
  /** Rendered anew whenever something inside the dialog changes. */
  body: () => TemplateResult;
  confirmLabel: () => string;
  danger?: boolean;
  /** Whether a reason is asked for, and must be given. */
  reason?: "optional" | "required";
  reasonLabel?: string;
  /** Why it cannot be confirmed yet; null when it can. */
  obstacle?: () => string | null;
  /**
   * @returns the sentence shown when it is done, or what must be looked at before the dialog closes, such as a secret that is
   *   shown once. @throws ApiError, which the dialog shows.
   */
  run: (reason: string) => Promise<string | Shown>;
}

export interface Shown {
  message: string;
  body: () => TemplateResult;
}

export class AskEvent extends Event {
  static readonly NAME = "ask";
  readonly question: Question;

  constructor(question: Question) {
    super(AskEvent.NAME, { bubbles: true, composed: true });
    this.question = question;
  }
}

export function ask(from: HTMLElement, question: Question): void {
  from.dispatchEvent(new AskEvent(question));
}
