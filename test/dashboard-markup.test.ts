// The dashboard writes what it is told as text, never as markup: the linter forbids the other ways, and this proves that it would notice.
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DASHBOARD = join(ROOT, "dashboard");

test.each([
  [
    "Lit's unsafeHTML",
    'import { unsafeHTML } from "lit/directives/unsafe-html.js";\nexport const show = unsafeHTML;\n',
  ],
  ["Lit's unsafeSVG", 'import { unsafeSVG } from "lit/directives/unsafe-svg.js";\nexport const show = unsafeSVG;\n'],
  ["Lit's static html", 'import { unsafeStatic } from "lit/static-html.js";\nexport const show = unsafeStatic;\n'],
  ["innerHTML", "export const show = (e: Element, text: string) => void (e.innerHTML = text);\n"],
  ["outerHTML", "export const show = (e: Element, text: string) => void (e.outerHTML = text);\n"],
  [
    "insertAdjacentHTML",
    'export const show = (e: Element, text: string) => e.insertAdjacentHTML("beforeend", text);\n',
  ],
  ["a frame's srcdoc", "export const show = (f: HTMLIFrameElement, text: string) => void (f.srcdoc = text);\n"],
  ["document.write", "export const show = (text: string) => document.write(text);\n"],
])("a page that uses %s does not pass the linter", (_what, source) => {
  const dir = mkdtempSync(join(DASHBOARD, "pages/.markup-"));
  try {
    writeFileSync(join(dir, "unsafe-page.ts"), `// A page that should not pass.\n${source}`);
    const { status, stdout } = spawnSync("oxlint", [dir], { cwd: ROOT, encoding: "utf8" });
    expect([status, stdout]).toEqual([1, expect.stringContaining("no-restricted-")]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("no page or part of the dashboard holds any of it", () => {
  const files = globSync("**/*.{ts,html}", {
    cwd: DASHBOARD,
    exclude: (name) => /(^|\/)(dist|\.tsc|node_modules)/.test(name),
  });
  expect(files.length).toBeGreaterThan(40);
  const ways = /unsafe(HTML|SVG|MathML|Static|CSS)|(inner|outer|insertAdjacent)HTML|HTMLUnsafe|srcdoc|document\.write/;
  expect(files.filter((file) => ways.test(readFileSync(join(DASHBOARD, file), "utf8")))).toEqual([]);
});

test("whatever it links beside its own pages went through webLink", () => {
  const files = globSync("**/*.ts", {
    cwd: DASHBOARD,
    exclude: (name) => /(^|\/)(dist|\.tsc|node_modules)/.test(name),
  });
  const links = files.flatMap((file) => {
    const source = readFileSync(join(DASHBOARD, file), "utf8");
    // An address that begins with something we do not know; `/devices/${id}` is one of our own pages whatever the id.
    return [...source.matchAll(/(?:href|src|action|formaction)="?=?\$\{([^}]*)\}/g)].map(
      ([, from]) => `${file}: ${from}`,
    );
  });
  expect(links).toEqual(["app-shell.ts: path", "pages/device-page.ts: link", "pages/overview-page.ts: path"]);
  expect(readFileSync(join(DASHBOARD, "pages/device-page.ts"), "utf8")).toContain("const link = webLink(");
});
