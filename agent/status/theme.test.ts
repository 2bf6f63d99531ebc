// WCAG AA in both themes, computed: every pair of colours that stands on the page has enough contrast.
import { expect, test } from "vitest";
import { STYLE } from "./style.ts";
import { PAIRS, THEMES } from "./theme.ts";

/** WCAG 2.2, "relative luminance". @param hex `#rrggbb` */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test("contrast is computed as WCAG does", () => {
  expect(contrast("#ffffff", "#000000")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

test.each(Object.entries(THEMES).flatMap(([theme, colours]) => PAIRS.map((pair) => ({ theme, colours, pair }))))(
  "$theme: $pair.0 on $pair.1 has a contrast of at least $pair.2",
  ({ colours, pair: [front, back, least] }) => {
    expect(contrast(colours[front], colours[back])).toBeGreaterThanOrEqual(least);
  },
);

test("every colour of the style has a name in the theme, and every name is used", () => {
  const used = new Set([...STYLE.matchAll(/var\(--([a-z-]+)\)/g)].map((match) => match[1] ?? ""));
  expect([...used].toSorted()).toEqual(Object.keys(THEMES.light).toSorted());
  const rules = STYLE.replaceAll(/:root \{[^}]*\}/g, "");
  expect(rules.match(/#[0-9a-f]{3,8}\b/gi)?.filter((found) => !/^#(?:again|notices|under)/.test(found)) ?? []).toEqual(
    [],
  );
});

test("the style asks nothing of the network, moves nothing for those who do not want it, and prints without actions", () => {
  expect(STYLE).not.toMatch(/url\(|@import|@font-face/);
  expect(STYLE).toMatch(/prefers-reduced-motion: reduce\) \{ \*[^}]+animation: none/);
  expect(STYLE).toMatch(/@media print \{[\s\S]*\.actions[^{]*\{ display: none; \}/);
});
