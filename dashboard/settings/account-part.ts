// One's own account: the password, and where one is signed in, to be ended from here when a laptop was left behind.
import type { BrowserSession } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { browserName } from "../format/browser-name.ts";
import { api } from "../live/client.ts";
import { badge } from "../parts/tones.ts";
import { SettingsPart, textField } from "./settings-part.ts";

@customElement("account-part")
export class AccountPart extends SettingsPart<readonly BrowserSession[]> {
  protected override fetch() {
    return api.sessions();
  }

  protected override show(sessions: readonly BrowserSession[]): TemplateResult {
    const others = sessions.filter(({ current }) => !current).length;
    return html`<div class="section-head">
        <h2>Where you are signed in</h2>
        <div class="actions">
          <button @click=${() => this.askForPassword()}>Change password</button>
          <button class="danger" ?disabled=${others === 0} @click=${() => this.askToEndOthers(others)}>
            Sign out everywhere else
          </button>
        </div>
      </div>
      <div class="table-wrap card" tabindex="0">
        <table class="folds">
          <thead>
            <tr>
              <th>Browser</th>
              <th>From</th>
              <th>Signed in</th>
              <th>Last used</th>
              <th><span class="visually-hidden">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            ${sessions.map((session) => this.row(session))}
          </tbody>
        </table>
      </div>`;
  }

  private row(session: BrowserSession): TemplateResult {
    const name = browserName(session.agent);
    return html`<tr>
      <td title=${session.agent ?? nothing}>
        <strong>${name}</strong> ${session.current ? badge("good", "this one") : nothing}
      </td>
      <td data-name="from">${session.address ?? "unknown"}</td>
      <td data-name="since"><time-ago at=${session.created_at}></time-ago></td>
      <td data-name="used"><time-ago at=${session.last_used}></time-ago></td>
      <td class="buttons">
        ${
          session.current
            ? nothing
            : html`<button
                class="small danger"
                aria-label="Sign out ${name} at ${session.address ?? "an unknown address"}"
                @click=${() => this.askToEnd(session, name)}
              >
                Sign out
              </button>`
        }
      </td>
    </tr>`;
  }

  private askForPassword(): void {
    let current = "";
    let password = "";
    this.askAndReload({
      title: "Change your password",
      body: () =>
        html`${textField("Present password", (value) => (current = value), { type: "password", autocomplete: "current-password" })}
        ${textField("New password", (value) => (password = value), {
          type: "password",
          autocomplete: "new-password",
          hint: "Your other sessions end.",
        })}`,
      confirmLabel: () => "Change it",
      run: async () => {
        await api.changePassword(current, password);
        return "Your password is changed.";
      },
    });
  }

  private askToEnd({ id, address }: BrowserSession, name: string): void {
    this.askAndReload({
      title: `Sign out ${name}?`,
      body: () => html`<p>Whoever uses it${address ? ` at ${address}` : ""} has to sign in again.</p>`,
      confirmLabel: () => "Sign it out",
      danger: true,
      run: async () => {
        await api.endSession(id);
        return `${name} is signed out.`;
      },
    });
  }

  private askToEndOthers(others: number): void {
    this.askAndReload({
      title: "Sign out everywhere else?",
      body: () => html`<p>${plural(others, "session")} of yours, all but this one.</p>`,
      confirmLabel: () => "Sign out everywhere else",
      danger: true,
      run: async () => `${plural((await api.endOtherSessions()).ended, "session")} ended.`,
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "account-part": AccountPart;
  }
}
