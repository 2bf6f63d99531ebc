// Whether the container's program is alive: `node healthy.ts agent|hub`, exit 0 or 1. Images hold no curl; Kubernetes asks by itself.
const { AGENT_STATUS_HOST = "127.0.0.1", AGENT_STATUS_PORT = "9090", HUB_PORT = "8000" } = process.env;

const ASKED: Record<string, { host: string; port: string; path: string }> = {
  // Its own life only: an agent whose hub is away is as healthy as can be.
  agent: { host: AGENT_STATUS_HOST, port: AGENT_STATUS_PORT, path: "/healthz" },
  hub: { host: "127.0.0.1", port: HUB_PORT, path: "/readyz" },
};

async function main(program: string): Promise<number> {
  const asked = ASKED[program];
  if (!asked) {
    console.error("usage: node healthy.ts agent|hub");
    return 2;
  }
  // Without a page there is nothing to ask; that the process lives is known already.
  if (asked.port === "0") return 0;
  const host = asked.host === "0.0.0.0" || asked.host === "::" ? "127.0.0.1" : asked.host;
  const name = host.includes(":") ? `[${host}]` : host;
  try {
    const reply = await fetch(`http://${name}:${asked.port}${asked.path}`, { signal: AbortSignal.timeout(8_000) });
    console.log(`${asked.path} answers ${reply.status}`);
    return reply.ok ? 0 : 1;
  } catch (error) {
    console.log(`${asked.path} does not answer: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

process.exitCode = await main(process.argv[2] ?? "");
