// The join command is run as root on a device: it is tried in a real shell, with paths of a test.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { joinCommand } from "./join-command.ts";

test("it leaves the token, every key and the settings where the agent looks for them, whatever the token holds", () => {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-join-"));
  const secret = "cej_$(touch x)`id`\\$HOME";
  const key = (id: string) => ({ id, public_key: `-----BEGIN PUBLIC KEY-----\n${id}\n-----END PUBLIC KEY-----\n` });
  const trust = { hub: [key("aa"), key("bb")], release: [{ ...key("cc"), development: false }] };
  const command = joinCommand({ hubUrl: "https://hub.plant.example", secret, trust })
    .replaceAll("/etc/context-edge", dir)
    .replace("systemctl", "echo");
  try {
    const said = execFileSync("sh", ["-eu"], { input: command, cwd: dir, encoding: "utf8" });
    expect(said).toBe("enable --now context-edge-agent\n");
    expect(readFileSync(join(dir, "join-token"), "utf8")).toBe(`${secret}\n`);
    expect(statSync(join(dir, "join-token")).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(dir, "hub-2.pub.pem"), "utf8")).toBe(trust.hub[1]?.public_key);
    const settings = readFileSync(join(dir, "agent.env"), "utf8");
    expect(settings).toContain(`AGENT_HUB_KEYS=${dir}/hub.pub.pem,${dir}/hub-2.pub.pem\n`);
    expect(settings).toMatch(/^AGENT_DEVICE_ID=\S+$/m);
    expect(settings).toContain("AGENT_HUB_URL=https://hub.plant.example\n");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
