// The colours of both themes by name, and which of them stand on which: a test computes the contrast of every pair.

const LIGHT = {
  ink: "#16211f",
  soft: "#4d5b57",
  paper: "#f3f6f5",
  card: "#ffffff",
  line: "#d9e0dd",
  /** Borders of what can be touched. */
  edge: "#75847f",
  accent: "#0b665f",
  "on-accent": "#ffffff",
  focus: "#1d5fbf",
  track: "#e3e9e6",
  good: "#13693f",
  "good-wash": "#e0f3e8",
  "good-big": "#13693f",
  busy: "#1b57b0",
  "busy-wash": "#e4edfb",
  "busy-big": "#1b57b0",
  waiting: "#7c5000",
  "waiting-wash": "#fcf1d8",
  "waiting-big": "#7c5000",
  bad: "#aa221b",
  "bad-wash": "#fce6e4",
  "bad-big": "#aa221b",
  quiet: "#4d5b57",
  "quiet-wash": "#e7ecea",
  "quiet-big": "#4d5b57",
  "on-big": "#ffffff",
};

const DARK: typeof LIGHT = {
  ink: "#e8f0ed",
  soft: "#a9b8b3",
  paper: "#0c1312",
  card: "#151f1d",
  line: "#2a3835",
  edge: "#7d8e88",
  accent: "#37cfbd",
  "on-accent": "#04211d",
  focus: "#9cc4ff",
  track: "#2a3835",
  good: "#74dba5",
  "good-wash": "#12362a",
  "good-big": "#12663d",
  busy: "#97c1ff",
  "busy-wash": "#16294a",
  "busy-big": "#1c4f9c",
  waiting: "#f1c466",
  "waiting-wash": "#382b0c",
  "waiting-big": "#755006",
  bad: "#ffa39b",
  "bad-wash": "#431815",
  "bad-big": "#a02a23",
  quiet: "#a9b8b3",
  "quiet-wash": "#22302d",
  "quiet-big": "#43514d",
  "on-big": "#ffffff",
};

export type Colour = keyof typeof LIGHT;
export const THEMES = { light: LIGHT, dark: DARK };

const TONE_NAMES = ["good", "busy", "waiting", "bad", "quiet"] as const;

/** What stands on what, and the least contrast: 4.5 for text, 3 for shapes (WCAG 2.2, 1.4.3 and 1.4.11). */
export const PAIRS: readonly (readonly [front: Colour, back: Colour, least: number])[] = [
  ["ink", "paper", 7],
  ["ink", "card", 7],
  ["soft", "paper", 4.5],
  ["soft", "card", 4.5],
  ["accent", "card", 4.5],
  ["accent", "paper", 4.5],
  ["on-accent", "accent", 4.5],
  ["on-big", "bad-big", 4.5],
  ["edge", "card", 3],
  ["focus", "card", 3],
  ["focus", "paper", 3],
  ...TONE_NAMES.flatMap(
    (tone) =>
      [
        ["on-big", `${tone}-big`, 4.5],
        [tone, "card", 4.5],
        [tone, `${tone}-wash`, 4.5],
        ["ink", `${tone}-wash`, 7],
        ["soft", `${tone}-wash`, 4.5],
        [tone, "track", 3],
        ["focus", `${tone}-wash`, 3],
      ] as const,
  ),
];

/** The names as custom properties of both themes. */
export const THEME_STYLE = `:root { color-scheme: light dark; ${declarations(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { ${declarations(DARK)} } }
@media print { :root { color-scheme: light; ${declarations(LIGHT)} } }
`;

function declarations(colours: typeof LIGHT): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}: ${value};`)
    .join(" ");
}
