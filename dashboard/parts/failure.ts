// What went wrong, what to do next, and the code to tell others: the one way a refusal is shown.
import { html, nothing, type TemplateResult } from "lit";
import { ApiError } from "../live/client.ts";

export function failureInWords(failure: Error): TemplateResult {
  const problem = failure instanceof ApiError ? failure.problem : null;
  return html`<div class="callout bad" role="alert">
    <strong>${failure.message}</strong>
    ${problem?.next_step ? html`<p>${problem.next_step}</p>` : nothing}
    ${problem ? html`<code>${problem.code}</code>` : nothing}
  </div>`;
}
