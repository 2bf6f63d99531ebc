// Whose signatures count: the hub's keys that devices must know, and the release keys whose versions the hub takes.
import type { Trust } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { shortDigest } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import "../parts/copy-field.ts";
import { badge } from "../parts/tones.ts";
import { SettingsPart } from "./settings-part.ts";

@customElement("trust-part")
export class TrustPart extends SettingsPart<Trust> {
  protected override fetch() {
    return api.trust();
  }

  protected override show({ hub, release }: Trust): TemplateResult {
    return html`<h2>Trust</h2>
      <p class="muted">
        A device runs a file only when two keys agree: the release key signs what a version is, the hub's key signs
        which group should run it. Neither alone can make a device run anything. Keys are files of the hub, and are
        changed there.
      </p>
      ${hub.map((key, index) => keyCard(`Hub key ${hub.length > 1 ? index + 1 : ""}`, "signs manifests and assignments", key))}
      ${release.map((key) => keyCard("Release key", "signs versions on the training side", key, key.development))}
      ${release.length === 0 ? html`<p class="callout warn">No release key is known: no version can be deployed.</p>` : nothing}`;
  }
}

function keyCard(
  name: string,
  does: string,
  key: { id: string; public_key: string },
  isDevelopment = false,
): TemplateResult {
  return html`<article class="card key-card">
    <h3>
      ${name}
      <code title=${key.id}>${shortDigest(key.id)}</code> ${isDevelopment ? badge("warn", "development") : nothing}
    </h3>
    <p class="muted">It ${does}.${isDevelopment ? " The hub holds it itself: for a laptop, never for a plant." : ""}</p>
    <copy-field text=${key.public_key.trim()} label="public key"></copy-field>
  </article>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "trust-part": TrustPart;
  }
}
