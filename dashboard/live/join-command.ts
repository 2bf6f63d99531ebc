// The commands that make a Jetson with the agent installed one of this fleet: its keys, its token, its settings. Pure.
import type { Trust } from "@context-edge/protocol";

const DIR = "/etc/context-edge";

/** For `sudo sh`; quoted so that nothing in it is expanded. */
export function joinCommand({ hubUrl, secret, trust }: { hubUrl: string; secret: string; trust: Trust }): string {
  const file = (name: string, mode: string, text: string) =>
    `install -m ${mode} /dev/stdin ${DIR}/${name} <<'END'\n${text.trimEnd()}\nEND`;
  const hubKeys = trust.hub.map(
    (key, index) => [`hub${index === 0 ? "" : `-${index + 1}`}.pub.pem`, key.public_key] as const,
  );
  const releaseKeys = trust.release.map(
    (key, index) => [`release${index === 0 ? "" : `-${index + 1}`}.pub.pem`, key.public_key] as const,
  );
  const paths = (keys: readonly (readonly [string, string])[]) => keys.map(([name]) => `${DIR}/${name}`).join(",");
  const settings = [
    "AGENT_DEVICE_ID=$(hostname)",
    `AGENT_HUB_URL=${hubUrl}`,
    `AGENT_JOIN_TOKEN_FILE=${DIR}/join-token`,
    `AGENT_HUB_KEYS=${paths(hubKeys)}`,
    `AGENT_RELEASE_KEYS=${paths(releaseKeys)}`,
  ];
  return [
    `mkdir -p ${DIR}`,
    file("join-token", "0640", secret),
    ...[...hubKeys, ...releaseKeys].map(([name, pem]) => file(name, "0644", pem)),
    // The one place where the device's own name is filled in.
    `cat >> ${DIR}/agent.env <<END\n${settings.join("\n")}\nEND`,
    "systemctl enable --now context-edge-agent",
  ].join("\n");
}
