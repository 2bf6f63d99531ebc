// The devices of one group at a glance: named tiles while they are few, a field of dots when they are hundreds or thousands.
import type { Device } from "@context-edge/protocol";
import { html, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { openPage } from "./open-page.ts";
import { LightElement } from "./light-element.ts";
import { SYNC_TONE, SYNC_WORDS, type Tone } from "./tones.ts";

/** More than this, and names would hide what is to be seen. */
const MOST_TILES = 48;
const CELL = 13;
const DOT = 10;
/** Drawn a little before it comes into sight. */
const NEAR = "600px";

/** What a dragged tile carries: the device's id. */
export const DRAGGED = "application/x-context-edge-device";

interface Dots {
  tone: Tone;
  offline: boolean;
  path: string;
}

@customElement("fleet-map")
export class FleetMap extends LightElement {
  @property({ attribute: false }) devices: readonly Device[] = [];
  @property() group = "";
  /** Tiles may be dragged onto another group. */
  @property({ type: Boolean, attribute: "draggable-devices" }) areDraggable = false;
  /** Out of sight nothing is drawn: a page may hold hundreds of groups. */
  @state() private isNear = false;
  @state() private columns = 24;
  @state() private at: number | null = null;
  private sight: IntersectionObserver | undefined;
  private size: ResizeObserver | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.sight = new IntersectionObserver(
      (entries) => {
        this.isNear = entries.some(({ isIntersecting }) => isIntersecting);
      },
      { rootMargin: NEAR },
    );
    this.sight.observe(this);
    this.size = new ResizeObserver(() => {
      this.columns = Math.max(1, Math.floor(this.clientWidth / CELL));
    });
    this.size.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sight?.disconnect();
    this.size?.disconnect();
  }

  override render() {
    if (this.devices.length === 0) return html`<p class="muted">No devices</p>`;
    if (!this.isNear) return html`<div style="height:${this.heightOf()}px"></div>`;
    return this.devices.length <= MOST_TILES ? this.tiles() : this.field();
  }

  private rows(): number {
    return Math.ceil(this.devices.length / this.columns);
  }

  private heightOf(): number {
    return this.devices.length <= MOST_TILES ? Math.ceil(this.devices.length / 7) * 33 : this.rows() * CELL;
  }

  private tiles(): TemplateResult {
    return html`<div class="tiles">
      ${repeat(
        this.devices,
        ({ id }) => id,
        (device) =>
          html`<a
            class="tile ${SYNC_TONE[device.sync]} ${device.online ? "" : "offline"}"
            href="/devices/${device.id}"
            draggable=${this.areDraggable ? "true" : "false"}
            @dragstart=${(event: DragEvent) => event.dataTransfer?.setData(DRAGGED, device.id)}
            title=${nameOf(device)}
            aria-label=${nameOf(device)}
            >${shortId(device.id)}</a
          >`,
      )}
    </div>`;
  }

  private field(): TemplateResult {
    const [width, height] = [this.columns * CELL, this.rows() * CELL];
    const here = this.at === null ? undefined : this.devices[this.at];
    return html`<div
      class="dots"
      role="application"
      tabindex="0"
      aria-roledescription="map of devices"
      aria-label="${this.devices.length} devices of ${this.group}. Arrow keys go from one to the next, Enter opens it."
      @pointermove=${this.hover}
      @pointerleave=${this.leave}
      @click=${this.open}
      @keydown=${this.walk}
      @blur=${this.leave}
    >
      <svg width=${width} height=${height} aria-hidden="true">
        ${dotsOf(this.devices, this.columns).map(
          ({ tone, offline, path }) => svg`<path class="${tone} ${offline ? "offline" : ""}" d=${path}></path>`,
        )}
        ${
          this.at === null
            ? nothing
            : svg`<rect class="here" x=${(this.at % this.columns) * CELL - 1} y=${Math.floor(this.at / this.columns) * CELL - 1} width=${DOT + 2} height=${DOT + 2} rx="3"></rect>`
        }
      </svg>
      <p class="dot-name" aria-live="polite">${here ? nameOf(here) : nothing}</p>
    </div>`;
  }

  private readonly hover = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / CELL);
    const index = Math.floor((event.clientY - box.top) / CELL) * this.columns + column;
    this.at = column < this.columns && this.devices[index] ? index : null;
  };

  private readonly leave = () => {
    this.at = null;
  };

  private readonly open = () => {
    const device = this.at === null ? undefined : this.devices[this.at];
    if (device) openPage(`/devices/${device.id}`);
  };

  private readonly walk = (event: KeyboardEvent) => {
    const step: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: this.columns,
      ArrowUp: -this.columns,
    };
    if (event.key === "Enter") return this.open();
    const by = step[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = this.at === null ? 0 : this.at + by;
    if (this.devices[next]) this.at = next;
  };
}

/** One shape for all dots of a kind: thousands of devices are a handful of elements. */
function dotsOf(devices: readonly Device[], columns: number): Dots[] {
  const kinds = new Map<string, Dots>();
  devices.forEach((device, index) => {
    const tone = SYNC_TONE[device.sync];
    const offline = !device.online;
    const kind = kinds.get(`${tone} ${offline}`) ?? { tone, offline, path: "" };
    kind.path += `M${(index % columns) * CELL} ${Math.floor(index / columns) * CELL}h${DOT}v${DOT}h-${DOT}z`;
    kinds.set(`${tone} ${offline}`, kind);
  });
  return [...kinds.values()];
}

const nameOf = (device: Device) => `${device.id}: ${SYNC_WORDS[device.sync]}${device.online ? "" : ", offline"}`;
/** `edge-042` → `042`: within a group the number tells them apart. */
const shortId = (id: string) => /\d+$/.exec(id)?.[0] ?? id.slice(0, 8);

declare global {
  interface HTMLElementTagNameMap {
    "fleet-map": FleetMap;
  }
}
