// Who is told, and where to: webhooks with what they subscribe to, how their deliveries went, and a test.
import { type Webhook, type WebhookDelivery, type WebhookFormat, WebhookKind } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { api } from "../live/client.ts";
import type { Shown } from "../parts/ask.ts";
import "../parts/copy-field.ts";
import { say } from "../parts/say.ts";
import { badge, type Tone } from "../parts/tones.ts";
import { SettingsPart, textField, valueOf } from "./settings-part.ts";

const KIND_WORDS: Record<WebhookKind, string> = {
  "version.registered": "a new version waits for review",
  "gate.passed": "a gate has passed",
  "gate.failed": "a gate has failed",
  "device.rolled-back": "a device rolled back",
  "deployment.halted": "a deployment halted",
  "device.offline": "a device is offline too long",
  "quarantine.added": "bytes were quarantined",
  test: "tests",
};
const DELIVERY_TONE: Record<WebhookDelivery["state"], Tone> = { pending: "busy", delivered: "good", "given-up": "bad" };
const CHOICES = WebhookKind.options.filter((kind) => kind !== "test");

const REFRESH_MS = 1_000;

@customElement("webhooks-part")
export class WebhooksPart extends SettingsPart<readonly Webhook[]> {
  @state() private deliveries: Readonly<Record<string, readonly WebhookDelivery[]>> = {};

  protected override fetch() {
    return api.webhooks();
  }

  protected override show(hooks: readonly Webhook[]): TemplateResult {
    return html`<div class="section-head">
        <h2>Webhooks</h2>
        <button class="primary" @click=${() => this.askForHook()}>New webhook</button>
      </div>
      ${hooks.length === 0 ? html`<p class="card quiet-card">Nobody is told yet. Add the address of a chat channel or of your own service.</p>` : nothing}
      ${hooks.map((hook) => this.card(hook))}`;
  }

  private card(hook: Webhook): TemplateResult {
    const shown = this.deliveries[hook.id];
    return html`<article class="card hook">
      <header class="section-head">
        <h3><code>${hook.url}</code> ${badge(hook.enabled ? "good" : "quiet", hook.enabled ? hook.format : "off")}</h3>
        <div class="actions">
          <button class="small" @click=${() => this.test(hook)}>Send a test</button>
          <button class="small" @click=${() => this.look(hook)}>${shown ? "Hide deliveries" : "Deliveries"}</button>
          <button class="small" @click=${() => this.turn(hook)}>${hook.enabled ? "Turn off" : "Turn on"}</button>
          <button class="small danger" @click=${() => this.askToDelete(hook)}>Delete</button>
        </div>
      </header>
      <p class="muted">
        Told of ${hook.kinds.length === 0 ? "everything" : hook.kinds.map((kind) => KIND_WORDS[kind]).join(", ")}.
        ${hook.pending > 0 ? `${hook.pending} wait to be delivered.` : ""}
        ${hook.given_up > 0 ? html`<strong>${hook.given_up} were given up.</strong>` : nothing}
      </p>
      ${shown ? deliveryTable(shown) : nothing}
    </article>`;
  }

  private askForHook(): void {
    let url = "";
    let format: WebhookFormat = "json";
    const kinds = new Set<WebhookKind>();
    this.askAndReload({
      title: "New webhook",
      body: () =>
        html`${textField("Address", (value) => (url = value), { type: "url", hint: "https://…" })}
          <label class="field"
            ><span>Format</span>
            <select @change=${(event: Event) => (format = valueOf(event) === "slack" ? "slack" : "json")}>
              <option value="json">JSON, signed with HMAC</option>
              <option value="slack">Slack and what takes its incoming webhooks</option>
            </select></label
          >
          <fieldset class="choices">
            <legend class="muted">Tell it when (nothing chosen: always)</legend>
            ${CHOICES.map(
              (kind) =>
                html`<label
                  ><input
                    type="checkbox"
                    @change=${(event: Event) => ((event.target as HTMLInputElement).checked ? kinds.add(kind) : kinds.delete(kind))}
                  /><span>${KIND_WORDS[kind]}</span></label
                >`,
            )}
          </fieldset>`,
      confirmLabel: () => "Add the webhook",
      run: async (): Promise<Shown> => {
        const { secret } = await api.createWebhook({ url, format, kinds: [...kinds] });
        return {
          message: "The webhook was added",
          body: () =>
            html`<p>
                Its signing secret, shown this once. What arrives is checked with it (docs/webhooks.md tells how).
              </p>
              <copy-field text=${secret} label="secret"></copy-field>`,
        };
      },
    });
  }

  /** What needs no question: done at once, and told when it could not be. */
  private async act(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      await this.load();
    } catch (error) {
      say(this, error instanceof Error ? error.message : String(error));
    }
  }

  private test(hook: Webhook): Promise<void> {
    return this.act(async () => {
      await api.testWebhook(hook.id);
      await this.refresh(hook.id);
    });
  }

  private turn(hook: Webhook): Promise<void> {
    return this.act(() => api.changeWebhook(hook.id, { enabled: !hook.enabled }));
  }

  private look(hook: Webhook): void {
    if (this.deliveries[hook.id]) {
      const { [hook.id]: _hidden, ...others } = this.deliveries;
      this.deliveries = others;
    } else void this.act(() => this.refresh(hook.id));
  }

  /** Again while something is on its way and still looked at: a test is told of when it has arrived. */
  private async refresh(id: string): Promise<void> {
    const deliveries = await api.deliveries(id);
    this.deliveries = { ...this.deliveries, [id]: deliveries };
    if (!deliveries.some(({ state: now, tries }) => now === "pending" && tries === 0)) return;
    setTimeout(() => {
      if (this.isConnected && this.deliveries[id]) void this.act(() => this.refresh(id));
    }, REFRESH_MS);
  }

  private askToDelete(hook: Webhook): void {
    this.askAndReload({
      title: "Delete this webhook?",
      body: () => html`<p><code>${hook.url}</code> is told nothing any more; what waits is dropped.</p>`,
      confirmLabel: () => "Delete",
      danger: true,
      run: async () => {
        await api.deleteWebhook(hook.id);
        return "The webhook is deleted.";
      },
    });
  }
}

function deliveryTable(deliveries: readonly WebhookDelivery[]): TemplateResult {
  if (deliveries.length === 0) return html`<p class="muted">Nothing was sent yet.</p>`;
  return html`<div class="table-wrap" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>What</th>
          <th>State</th>
          <th>Tries</th>
          <th>Answer</th>
          <th>When</th>
        </tr>
      </thead>
      <tbody>
        ${deliveries.slice(0, 20).map(
          ({ kind, state: now, tries, last_status, last_error, created_at }) =>
            html`<tr>
              <td>${kind}</td>
              <td>${badge(DELIVERY_TONE[now], now)}</td>
              <td class="number">${tries}</td>
              <td>${last_error ?? last_status ?? "–"}</td>
              <td><time-ago at=${created_at}></time-ago></td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "webhooks-part": WebhooksPart;
  }
}
