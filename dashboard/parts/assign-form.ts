// The main gesture: choose a version for a group, press Assign, confirm what exactly will change.
import { DEFAULT_MODEL, type Version } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import { customElement, property, state as reactive } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { fitsOf } from "../live/fits.ts";
import { whyNotAct, whyNotDeploy } from "../live/allowed.ts";
import { api } from "../live/client.ts";
import { changeInWords, changingTo, devicesOf, namesOf, versionsOf } from "../live/select.ts";
import type { FleetStore } from "../live/store.ts";
import { ask } from "./ask.ts";
import { LightElement } from "./light-element.ts";

@customElement("assign-form")
export class AssignForm extends LightElement {
  @property({ attribute: false }) store!: FleetStore;
  @property() group = "";
  /** Changes whenever the list of versions or the target does, so that it is drawn anew then and not otherwise. */
  @property() signature = "";
  @reactive() private chosen = "";

  override render(): TemplateResult {
    const { state } = this.store;
    const target = state.groups[this.group]?.targets[DEFAULT_MODEL]?.version;
    const versions = versionsOf(state).filter(({ stage }) => stage === "pending" || stage === "approved");
    const why = whyNotAct(state.session, "deploy") ?? (this.chosen === "" ? "Choose a version first." : null);
    return html`<form class="assign" @submit=${this.submit}>
      <select aria-label="Version for ${this.group}" @change=${this.choose}>
        <option value="" ?selected=${this.chosen === ""}>Choose a version …</option>
        ${versions.map(
          (version) =>
            html`<option
              value=${version.version_id}
              ?selected=${this.chosen === version.version_id}
              ?disabled=${whyNotDeploy(version) !== null}
            >
              ${version.version_id}${optionNote(version, target)}
            </option>`,
        )}
      </select>
      <button class="primary" type="submit" ?disabled=${why !== null} title=${why ?? ""}>Assign</button>
    </form>`;
  }

  private readonly choose = (event: Event) => {
    this.chosen = (event.target as HTMLSelectElement).value;
  };

  private readonly submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (this.chosen !== "") askToAssign(this, this.store, this.group, this.chosen, () => (this.chosen = ""));
  };
}

/** Also for giving a group an earlier target back: the same question, whoever asks it. */
export function askToAssign(
  from: HTMLElement,
  store: FleetStore,
  group: string,
  version: string,
  done: () => void = () => undefined,
): void {
  const members = () => devicesOf(store.state, group);
  const record = () => store.state.versions[`${DEFAULT_MODEL}/${version}`];
  ask(from, {
    title: `Assign ${version} to ${group}?`,
    body: () => {
      const fits = fitsOf(record() ?? { variants: [] }, members());
      return html`<p>
          <strong>${changeInWords(members(), version, group)}</strong>
          ${record()?.stage === "pending" ? "This approves the version in your name." : ""}
        </p>
        <p class="muted">${namesOf(changingTo(members(), version))}</p>
        ${fits.lacking.map(
          ({ module, devices }) =>
            html`<p class="callout warn">
              ${plural(devices.length, "device")} (${module}) keep what they run: no file of ${version} fits them.
            </p>`,
        )}`;
    },
    confirmLabel: () => `Assign ${version} to ${group}`,
    run: async () => {
      const deployment = await api.assign(group, version);
      done();
      return `${group} is told to run ${deployment.version}.`;
    },
  });
}

function optionNote(version: Version, target: string | undefined): string {
  if (version.version_id === target) return " (target now)";
  if (whyNotDeploy(version) !== null) return " (unsigned)";
  return version.stage === "pending" ? " (pending)" : "";
}

declare global {
  interface HTMLElementTagNameMap {
    "assign-form": AssignForm;
  }
}
