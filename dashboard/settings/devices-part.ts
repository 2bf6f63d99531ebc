// Letting devices in: join tokens, and the command that makes a Jetson one of the fleet, to be copied.
import type { JoinToken, Trust } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { api } from "../live/client.ts";
import { joinCommand } from "../live/join-command.ts";
import { groupsOf } from "../live/select.ts";
import type { Shown } from "../parts/ask.ts";
import "../parts/copy-field.ts";
import { badge } from "../parts/tones.ts";
import { SettingsPart, textField, valueOf } from "./settings-part.ts";

interface Items {
  tokens: readonly JoinToken[];
  trust: Trust;
}

@customElement("devices-part")
export class DevicesPart extends SettingsPart<Items> {
  protected override async fetch(): Promise<Items> {
    const [tokens, trust] = await Promise.all([api.joinTokens(), api.trust()]);
    return { tokens, trust };
  }

  protected override show({ tokens }: Items): TemplateResult {
    return html`<div class="section-head">
        <h2>Let a device join</h2>
        <button class="primary" @click=${() => this.askForToken()}>New join token</button>
      </div>
      <p class="muted">
        Whoever holds a join token may enrol a device. Each device then gets a credential of its own, and the token is
        not needed again.
      </p>
      ${tokens.length === 0 ? html`<p class="card quiet-card">No join token was made here yet.</p>` : this.table(tokens)}`;
  }

  private table(tokens: readonly JoinToken[]): TemplateResult {
    return html`<div class="table-wrap card" tabindex="0">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>Begins with</th>
            <th>Group</th>
            <th>Uses left</th>
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
                <td>${token.group ?? "the device says"}</td>
                <td>${token.uses_left ?? "any number"}</td>
                <td>${token.expires_at ? token.expires_at.slice(0, 10) : "never"}</td>
                <td class="buttons">
                  ${token.revoked_at ? nothing : html`<button class="small danger" @click=${() => this.askToRevoke(token)}>Revoke</button>`}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  private askForToken(): void {
    let name = "";
    let group = "";
    let uses = 1;
    this.askAndReload({
      title: "New join token",
      body: () =>
        html`${textField("Name", (value) => (name = value), { hint: 'Where it will be used, such as line-3: letters, digits, ".", "_" and "-".' })}
          <label class="field"
            ><span>Group of its devices</span>
            <select @change=${(event: Event) => (group = valueOf(event))}>
              <option value="">The device says, or default</option>
              ${groupsOf(this.store.state).map((one) => html`<option>${one.name}</option>`)}
            </select></label
          >
          <label class="field"
            ><span>Devices it may let in</span>
            <input
              type="number"
              min="1"
              .value=${String(uses)}
              @input=${(event: Event) => (uses = Number(valueOf(event)))}
          /></label>`,
      confirmLabel: () => "Make the token",
      run: async (): Promise<Shown> => {
        const { secret } = await api.createJoinToken({
          name,
          uses,
          expires_days: 30,
          ...(group === "" ? {} : { group }),
        });
        const trust = this.items?.trust ?? (await api.trust());
        const command = joinCommand({ hubUrl: globalThis.location.origin, secret, trust });
        return {
          message: `Join token ${name}`,
          body: () =>
            html`<p>The token, shown this once:</p>
              <copy-field text=${secret} label="join token"></copy-field>
              <p>Or the whole of what a Jetson with the agent installed needs (run it there, as root):</p>
              <copy-field text=${command} label="join command"></copy-field>`,
        };
      },
    });
  }

  private askToRevoke({ id, name }: JoinToken): void {
    this.askAndReload({
      title: `Revoke ${name}?`,
      body: () => html`<p>No further device joins by it. Those that did keep their own credentials.</p>`,
      confirmLabel: () => "Revoke",
      danger: true,
      run: async () => {
        await api.revokeJoinToken(id);
        return `${name} is revoked.`;
      },
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "devices-part": DevicesPart;
  }
}
