// The device id as a QR code: drawn on the device, as one path of squares.
import { encode } from "uqr";
import { html, type Piece } from "./markup.ts";

/** Quiet zone of four modules, as ISO/IEC 18004 asks for. */
const BORDER = 4;

export function qrSvg(text: string, label: string): Piece {
  const { data, size } = encode(text, { ecc: "M", border: BORDER });
  const squares = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return [
    html`<svg
      class="qr"
      viewBox="0 0 ${String(size)} ${String(size)}"
      role="img"
      aria-label="${label}"
      shape-rendering="crispEdges"
    >
      <rect width="${String(size)}" height="${String(size)}" fill="#fff"></rect>
      <path d="${squares.join("")}" fill="#000"></path>
    </svg>`,
  ];
}
