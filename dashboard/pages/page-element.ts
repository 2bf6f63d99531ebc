// The base of every page: it has the store, renders when the store changes, and waits politely until there is something to show.
import { html, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { FleetState } from "../live/state.ts";
import { StoreController, type FleetStore } from "../live/store.ts";
import { LightElement } from "../parts/light-element.ts";

export abstract class PageElement extends LightElement {
  @property({ attribute: false }) store!: FleetStore;
  private follows = false;

  override willUpdate(): void {
    if (this.follows) return;
    this.follows = true;
    new StoreController(this, this.store);
  }

  override render(): TemplateResult {
    const { state } = this.store;
    if (!state.loaded) return html`<p class="muted loading" aria-busy="true">Loading the fleet …</p>`;
    return this.page(state);
  }

  protected abstract page(state: FleetState): TemplateResult;
}
