// Which addresses may be linked.
import { expect, test } from "vitest";
import { webLink } from "./links.ts";

test.each([
  ["http://192.0.2.9:9090/", true],
  ["https://edge-001.example/status", true],
  ["HTTPS://edge-001.example/", true],
  ["javascript:alert(1)", false],
  ["JaVaScRiPt:alert(1)", false],
  [" javascript:alert(1)", false],
  ["java\nscript:alert(1)", false],
  ["\u0001javascript:alert(1)", false],
  ["data:text/html,<script>alert(1)</script>", false],
  ["blob:https://edge-001.example/1", false],
  ["vbscript:msgbox(1)", false],
  ["file:///etc/passwd", false],
  ["//edge-001.example/", false],
  ["edge-001", false],
  ["", false],
  [null, false],
])("%j: %j", (address, isLinked) => {
  expect(webLink(address)).toBe(isLinked ? address : null);
});
