// What the terminal says is what the page says: state first, then why it waits, what is wrong and what to do.
import { expect, test } from "vitest";
import { statusLines } from "./say.ts";
import { calm, FIXTURES } from "./testing/fixtures.ts";

const said = (name: string) => statusLines(FIXTURES[name] ?? calm).join("\n");

test.each<[string, RegExp]>([
  ["healthy", /^line-3-station-07 \(group pilot\)\ndefault: Running v2\.1 since Monday \d\d:01\. Healthy\./],
  [
    "held",
    /Waits: Somebody at the device holds this device as it is: camera is being replaced \(until \w+ \d\d:59\)\./,
  ],
  ["held-by-the-hub", /On hold by an engineer until Wednesday \d\d:52\. Audit of line 3\./],
  ["blocked", /What is wrong: The swap was undone[^\n]+\n {2}What to do: Look at the inference service/],
  ["clock-at-1970", /default: Running v2\.1\. Healthy\./],
  ["starting", /Hub https:\/\/hub\.factory\.example:8000 has not answered yet\./],
])("%s is said as %s", (name, words) => {
  expect(said(name)).toMatch(words);
});
