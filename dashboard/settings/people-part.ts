// Accounts: who may sign in, with which role, and the one-time links by which people set their passwords.
import { Role, type User } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { api } from "../live/client.ts";
import type { Shown } from "../parts/ask.ts";
import "../parts/copy-field.ts";
import { badge } from "../parts/tones.ts";
import { SettingsPart, textField, valueOf } from "./settings-part.ts";

const MEANS: Record<Role, string> = {
  viewer: "looks at everything, changes nothing",
  engineer: "reviews, deploys, steers, moves and holds devices",
  admin: "also people, tokens, webhooks, decommissioning",
};

@customElement("people-part")
export class PeoplePart extends SettingsPart<readonly User[]> {
  protected override fetch() {
    return api.users();
  }

  protected override show(users: readonly User[]): TemplateResult {
    return html`<div class="section-head">
        <h2>People</h2>
        <button class="primary" @click=${() => this.askForUser()}>Add somebody</button>
      </div>
      <div class="table-wrap card" tabindex="0">
        <table>
          <thead>
            <tr>
              <th>Name</th>
              <th>Role</th>
              <th>Signs in with</th>
              <th>Since</th>
              <th><span class="visually-hidden">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            ${users.map((user) => this.row(user))}
          </tbody>
        </table>
      </div>
      <dl class="facts">
        ${Role.options.map(
          (role) =>
            html`<div>
              <dt>${role}</dt>
              <dd>${MEANS[role]}</dd>
            </div>`,
        )}
      </dl>`;
  }

  private row(user: User): TemplateResult {
    const isOut = user.disabled_at !== null;
    return html`<tr>
      <td><strong>${user.name}</strong> ${isOut ? badge("bad", "disabled") : nothing}</td>
      <td>
        <select
          aria-label="Role of ${user.name}"
          ?disabled=${isOut}
          @change=${(event: Event) => this.askForRole(event, user)}
        >
          ${Role.options.map((role) => html`<option ?selected=${role === user.role}>${role}</option>`)}
        </select>
      </td>
      <td>${user.signs_in_with}</td>
      <td><time-ago at=${user.created_at}></time-ago></td>
      <td class="buttons">
        <button class="small" ?disabled=${isOut} @click=${() => this.askToReset(user)}>New password link</button>
        <button class="small ${isOut ? "" : "danger"}" @click=${() => this.askToDisable(user, !isOut)}>
          ${isOut ? "Enable" : "Disable"}
        </button>
      </td>
    </tr>`;
  }

  private askForUser(): void {
    let name = "";
    let role: Role = "engineer";
    this.askAndReload({
      title: "Add somebody",
      body: () =>
        html`${textField("Name", (value) => (name = value), { hint: "As they will sign in, such as ada or ada@plant.example." })}
          <label class="field"
            ><span>Role</span>
            <select @change=${(event: Event) => (role = Role.parse(valueOf(event)))}>
              ${Role.options.map((one) => html`<option value=${one} ?selected=${one === role}>${one}: ${MEANS[one]}</option>`)}
            </select></label
          >`,
      confirmLabel: () => "Add",
      run: async () => {
        const { user, setup_link: link } = await api.createUser({ name, role });
        return linkFor(user.name, link);
      },
    });
  }

  private askForRole(event: Event, user: User): void {
    const select = event.target as HTMLSelectElement;
    const role = Role.parse(select.value);
    select.value = user.role;
    this.askAndReload({
      title: `Make ${user.name} ${role === "viewer" ? "a viewer" : `an ${role}`}?`,
      body: () => html`<p>${user.name} then ${MEANS[role]}. It holds from the next request on.</p>`,
      confirmLabel: () => "Change the role",
      run: async () => `${(await api.changeUser(user.id, { role })).name} is ${role} now.`,
    });
  }

  private askToReset(user: User): void {
    this.askAndReload({
      title: `A new password link for ${user.name}?`,
      body: () => html`<p>The present password is void at once, and every session of ${user.name} ends.</p>`,
      confirmLabel: () => "Make the link",
      danger: true,
      run: async () => linkFor(user.name, (await api.resetUser(user.id)).setup_link),
    });
  }

  private askToDisable(user: User, disabled: boolean): void {
    this.askAndReload({
      title: `${disabled ? "Disable" : "Enable"} ${user.name}?`,
      body: () =>
        html`<p>
          ${disabled ? `${user.name} is signed out everywhere and cannot sign in. What was done stays in the audit.` : `${user.name} may sign in again.`}
        </p>`,
      confirmLabel: () => (disabled ? "Disable" : "Enable"),
      danger: disabled,
      run: async () => `${(await api.changeUser(user.id, { disabled })).name} is ${disabled ? "disabled" : "enabled"}.`,
    });
  }
}

/** Shown once: whoever has it sets the password. */
function linkFor(name: string, link: string | null): Shown | string {
  if (link === null) return `${name} was added.`;
  return {
    message: `A link for ${name}`,
    body: () =>
      html`<p>Give it to ${name}. It works once, and it is not shown again.</p>
        <copy-field text=${link} label="link"></copy-field>`,
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "people-part": PeoplePart;
  }
}
