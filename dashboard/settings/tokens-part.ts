// API tokens for training jobs, scripts and CI: made with a scope, shown once, revoked at once.
import { type ApiToken, TokenScope } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { api } from "../live/client.ts";
import "../parts/copy-field.ts";
import { badge } from "../parts/tones.ts";
import { SettingsPart, textField, valueOf } from "./settings-part.ts";

const MEANS: Record<TokenScope, string> = {
  publisher: "hands in versions and labels, nothing else",
  viewer: "looks",
  engineer: "reviews, deploys and steers",
  admin: "everything",
};

@customElement("tokens-part")
export class TokensPart extends SettingsPart<readonly ApiToken[]> {
  protected override fetch() {
    return api.tokens();
  }

  protected override show(tokens: readonly ApiToken[]): TemplateResult {
    return html`<div class="section-head">
        <h2>API tokens</h2>
        <button class="primary" @click=${() => this.askForToken()}>New token</button>
      </div>
      ${tokens.length === 0 ? html`<p class="card quiet-card">No token was made yet. A training job needs one with the scope publisher.</p>` : table(tokens, (token) => this.askToRevoke(token))}`;
  }

  private askForToken(): void {
    let name = "";
    let scope: TokenScope = "publisher";
    let days = 90;
    this.askAndReload({
      title: "New API token",
      body: () =>
        html`${textField("Name", (value) => (name = value), { hint: 'What it is for, such as training or ci: letters, digits, ".", "_" and "-".' })}
          <label class="field"
            ><span>Scope</span>
            <select @change=${(event: Event) => (scope = TokenScope.parse(valueOf(event)))}>
              ${TokenScope.options.map((one) => html`<option value=${one}>${one}: ${MEANS[one]}</option>`)}
            </select></label
          >
          <label class="field"
            ><span>Days it is good for</span>
            <input
              type="number"
              min="1"
              max="3660"
              .value=${String(days)}
              @input=${(event: Event) => (days = Number(valueOf(event)))}
          /></label>`,
      confirmLabel: () => "Make the token",
      run: async () => {
        const { secret } = await api.createToken({ name, scope, expires_days: days });
        return {
          message: `Token ${name}`,
          body: () =>
            html`<p>Copy it now: the hub keeps only its hash, and it is not shown again.</p>
              <copy-field text=${secret} label="token"></copy-field>`,
        };
      },
    });
  }

  private askToRevoke({ id, name }: ApiToken): void {
    this.askAndReload({
      title: `Revoke ${name}?`,
      body: () => html`<p>Whatever uses it is refused from now on.</p>`,
      confirmLabel: () => "Revoke",
      danger: true,
      run: async () => {
        await api.revokeToken(id);
        return `${name} is revoked.`;
      },
    });
  }
}

function table(tokens: readonly ApiToken[], revoke: (token: ApiToken) => void): TemplateResult {
  return html`<div class="table-wrap card" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Name</th>
          <th>Begins with</th>
          <th>Scope</th>
          <th>Made</th>
          <th>Last used</th>
          <th>Ends</th>
          <th><span class="visually-hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        ${tokens.map(
          (token) =>
            html`<tr>
              <td><strong>${token.name}</strong> ${token.revoked_at ? badge("bad", "revoked") : nothing}</td>
              <td><code>${token.prefix}…</code></td>
              <td>${token.scope}</td>
              <td><time-ago at=${token.created_at}></time-ago> by ${token.created_by}</td>
              <td><time-ago at=${token.last_used ?? ""}></time-ago></td>
              <td>${token.expires_at ? token.expires_at.slice(0, 10) : "never"}</td>
              <td class="buttons">
                ${token.revoked_at ? nothing : html`<button class="small danger" @click=${() => revoke(token)}>Revoke</button>`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "tokens-part": TokensPart;
  }
}
