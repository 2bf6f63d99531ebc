// The page for the person who stands before the device: plain words first, figures below, nothing from anywhere else.
import type { StatusDocument } from "./document.ts";
import { exactClockTime } from "./format.ts";
import { html, icon, type Piece, timeTag } from "./markup.ts";
import { noticesOf } from "./notices.ts";
import { qrSvg } from "./qr.ts";
import { actionsSection } from "./sections/actions.ts";
import { underWay } from "./sections/attempt.ts";
import { hero, noticeBoxes, toneOf } from "./sections/hero.ts";
import { historySection } from "./sections/history.ts";
import { hubSection } from "./sections/hub.ts";
import { aboutSection, machineSection, networkSection } from "./sections/machine.ts";
import { slotSections } from "./sections/slots.ts";

/** What came of an action, told once after the redirect. */
export interface Flash {
  tone: "good" | "bad";
  message: string;
  next: string;
}

export interface View {
  flash: Flash | null;
  /** Milliseconds until the PIN is accepted again from the reader's address; 0 when it is. */
  lockedMs: number;
}

/** @returns a whole document */
export function renderPage(status: StatusDocument, { flash, lockedMs }: View): string {
  const body = html`${hero(status)} ${noticeBoxes(noticesOf(status))}
    <div class="columns">
      <div>
        ${underWay(status)} ${slotSections(status)} ${actionsSection(status, { lockedMs })} ${historySection(status)}
      </div>
      <div>
        ${hubSection(status)} ${machineSection(status)} ${networkSection(status)} ${aboutSection(status)}
        ${identitySection(status)}
      </div>
    </div>`;
  return shell({ title: `${status.device} · Context Edge`, status, body: [body], flash: flashBox(flash) });
}

interface Shell {
  title: string;
  status: StatusDocument;
  body: Piece;
  flash: Piece;
}

/** The frame of every page: head, banner, main part and footer. */
export function shell({ title, status, body, flash }: Shell): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="/status.css" />
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <script src="/status.js" defer></script>
      </head>
      <body class="${toneOf(status)}">
        <a class="skip" href="#main">Skip to the status</a>
        <header class="top" id="top">
          <p class="device">${status.device}</p>
          <p class="group">${status.group === null ? "not in a group yet" : `group ${status.group}`}</p>
        </header>
        <main id="main" tabindex="-1">${flash} ${body}</main>
        <footer id="foot" data-live>
          <p>
            As of ${timeTag(status.at, exactClockTime(status.at))}, by this device's own clock.
            <a id="again" href="/">Look again</a>
          </p>
          <p class="live" hidden>This page keeps itself up to date.</p>
        </footer>
      </body>
    </html>`;
}

function flashBox(flash: Flash | null): Piece {
  if (!flash) return [];
  return [
    html`<div class="notice flash ${flash.tone}" id="flash" role="${flash.tone === "bad" ? "alert" : "status"}">
      <p>${icon(flash.tone)} <b>${flash.message}</b></p>
      ${flash.next === "" ? [] : [html`<p class="next">${flash.next}</p>`]}
    </div>`,
  ];
}

function identitySection({ device }: StatusDocument): Piece {
  return [
    html`<section class="card identity" id="identity">
      <h2>Device id</h2>
      ${qrSvg(device, `QR code of the device id ${device}`)}
      <p class="id"><code>${device}</code></p>
    </section>`,
  ];
}
