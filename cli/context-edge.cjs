#!/usr/bin/env node
// Starts the command line with a Node that can: this one if it is new enough, else the project's own.
// Plain JavaScript, because the host's Node is what reads it: that one may not know types.
"use strict";
const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { dirname, join } = require("node:path");

const NEEDED = 26;
const MAIN = join(__dirname, "main.ts");
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** Where npm puts it: in this project, or in the one that this is a part of. */
function ownNode() {
  const inside = join("node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const file = join(folder, inside);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}

function runWith(node) {
  const child = spawn(node, [MAIN, ...process.argv.slice(2)], { stdio: "inherit" });
  // Whoever ends this one means the other; a terminal tells both, and the second time does no harm.
  for (const signal of Object.keys(SIGNALS)) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`context-edge cannot start ${node}: ${error.message}`));
  child.on("close", (code, signal) => process.exit(code === null ? 128 + SIGNALS[signal] : code));
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split(".")[0]) >= NEEDED) {
  void import(MAIN);
} else {
  const node = ownNode();
  if (node) runWith(node);
  else {
    fail(
      `error: context-edge needs Node ${NEEDED} or newer, this is ${process.version}, and the project's own is not installed.\n` +
        `next: run npm ci in ${dirname(__dirname)} (without --omit=optional), or put a newer node first in PATH.`,
    );
  }
}
