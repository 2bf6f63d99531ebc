// The fields of a deployment in steps, each with what it means.
import type { Group } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import type { PlanForm } from "../live/plan-form.ts";

type Change = (some: Partial<PlanForm>) => void;

const valueOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
const isChecked = (event: Event) => (event.target as HTMLInputElement).checked;

export function planFields(form: PlanForm, groups: readonly Group[], change: Change): TemplateResult {
  return html`
    <section class="card">
      <fieldset class="plain-set">
        <legend><h2>Groups, in the order in which they get their turn</h2></legend>
        <div class="choices">
          ${groups.map(({ name, devices_total: total, targets }) => {
            const place = form.groups.indexOf(name);
            return html`<label>
              <input
                type="checkbox"
                .checked=${place >= 0}
                @change=${(event: Event) => change({ groups: toggled(form.groups, name, isChecked(event)) })}
              />
              <span>${name}</span>
              <small class="muted"
                >${total} devices, target
                ${targets["default"]?.version ?? "none"}${place >= 0 && form.groups.length > 1 ? html`, <b>number ${place + 1}</b>` : ""}</small
              >
            </label>`;
          })}
        </div>
      </fieldset>
      <label class="check">
        <input
          type="checkbox"
          .checked=${form.together}
          @change=${(event: Event) => change({ together: isChecked(event) })}
        />
        <span>All groups move with each wave, instead of one after the other</span>
      </label>
    </section>
    <section class="card form-grid">
      <h2>Waves and gate</h2>
      ${text("Waves of each group", "Numbers of devices, or shares. Each includes the one before; the last is 100%.", form.waves, (waves) => change({ waves }))}
      ${text("Devices that may fail", "A number, or a share such as 5%. One more halts it.", form.maxBad, (maxBad) => change({ maxBad }))}
      <label class="field">
        <span>Hours to watch between steps</span>
        <input
          type="number"
          min="0"
          step="any"
          .value=${String(form.soakHours)}
          @input=${(event: Event) => change({ soakHours: Number.parseFloat(valueOf(event)) })}
        />
        <small class="muted">As many devices as must run it must each have been watched that long.</small>
      </label>
      ${choice(
        "When the gate passes",
        form.promote,
        [
          ["by-hand", "a person goes on"],
          ["automatic", "it goes on by itself"],
        ],
        (promote) => change({ promote }),
      )}
      ${choice(
        "When it fails",
        form.onFail,
        [
          ["halt", "it halts"],
          ["roll-back", "it rolls every group back"],
        ],
        (onFail) => change({ onFail }),
      )}
      <label class="check">
        <input
          type="checkbox"
          .checked=${form.requireLabels}
          @change=${(event: Event) => change({ requireLabels: isChecked(event) })}
        />
        <span>Labels must prove its accuracy</span>
      </label>
    </section>
    <section class="card form-grid">
      <h2>When and why</h2>
      <label class="field">
        <span>Begin at</span>
        <input
          type="datetime-local"
          .value=${form.startAt}
          @input=${(event: Event) => change({ startAt: valueOf(event) })}
        />
        <small class="muted">In your time zone. Empty: at once.</small>
      </label>
      ${text("Reason", "Kept in the audit.", form.reason, (reason) => change({ reason }))}
    </section>
  `;
}

function toggled(groups: readonly string[], name: string, isIn: boolean): string[] {
  const others = groups.filter((group) => group !== name);
  return isIn ? [...others, name] : others;
}

function text(label: string, hint: string, value: string, change: (value: string) => void): TemplateResult {
  return html`<label class="field">
    <span>${label}</span>
    <input .value=${value} @input=${(event: Event) => change(valueOf(event))} />
    <small class="muted">${hint}</small>
  </label>`;
}

function choice<T extends string>(
  label: string,
  value: T,
  options: readonly (readonly [T, string])[],
  change: (value: T) => void,
): TemplateResult {
  return html`<label class="field">
    <span>${label}</span>
    <select @change=${(event: Event) => change(valueOf(event) as T)}>
      ${options.map(([name, words]) => html`<option value=${name} ?selected=${name === value}>${words}</option>`)}
    </select>
  </label>`;
}
