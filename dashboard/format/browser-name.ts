// A browser's long name for itself as its owner would say it: "Firefox on Linux". A guess for people, nothing relies on it.
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, "Edge"],
  [/\bFirefox\//, "Firefox"],
  [/\b(Chrome|Chromium|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^context-edge/, "The command line"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(iPhone|iPad)\b/, "iOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

export function browserName(agent: string | null): string {
  const named = (of: typeof BROWSERS) => of.find(([pattern]) => pattern.test(agent ?? ""))?.[1];
  const [browser, system] = [named(BROWSERS), named(SYSTEMS)];
  if (browser === undefined) return agent === null ? "Unknown browser" : agent.slice(0, 40);
  return system === undefined ? browser : `${browser} on ${system}`;
}
