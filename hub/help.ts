// What `npm run hub -- --help` says, and what each command says of itself.
const EXITS = "Exit codes: 0 done, 1 could not start or something is wrong, 2 wrong use or a wrong setting.\n";
const AS_SET =
  "The settings are the hub's own, from the environment (npm run hub -- --help). A running hub heeds what is changed at once.\nnpm run --silent hub -- … keeps npm's own lines out of what is printed.\n";

interface Help {
  /** In one line. */
  what: string;
  /** Forms of the command, as they stand behind `npm run hub --`. */
  forms: readonly string[];
  more: string;
}

export const COMMANDS = {
  user: {
    what: "accounts of people",
    forms: [
      "user link",
      "user add NAME --role viewer|engineer|admin [--password-file FILE|-]",
      "user list",
      "user disable NAME",
      "user enable NAME",
      "user role NAME viewer|engineer|admin",
      "user reset NAME",
    ],
    more: `link prints a link that makes the first account, once, within a day. add asks for a password on a terminal, reads it from a file
or from a pipe (-), or prints a link that sets it. reset signs out everywhere and prints such a link.
`,
  },
  token: {
    what: "API tokens of scripts",
    forms: [
      "token create NAME --scope publisher|viewer|engineer|admin [--expires 90d]",
      "token list",
      "token revoke NAME",
    ],
    more: `create prints the secret on stdout, once: the hub keeps only its hash. --expires is a number of days or hours, 90d or 12h.
`,
  },
  "join-token": {
    what: "tokens that admit devices",
    forms: [
      "join-token create [NAME] [--group GROUP] [--uses N] [--expires 7d]",
      "join-token list",
      "join-token revoke NAME",
    ],
    more: `create prints the secret on stdout, once. --group puts its devices there whatever they ask for, --uses is how many it admits,
--expires a number of days or hours, 7d or 12h.
`,
  },
  artifacts: {
    what: "model files that nothing refers to",
    forms: ["artifacts gc [--dry-run]"],
    more: `Removes files that were uploaded and never registered, and files of archived versions, once they were left alone for
HUB_KEEP_UNUSED_DAYS; never what a target, a manifest, a device or an open deployment refers to. A running hub does the same every hour.
--dry-run lists what would go and changes nothing.
`,
  },
  audit: {
    what: "the history",
    forms: ["audit verify [--head HASH]", "audit head", "audit export"],
    more: `verify follows the hash chain and exits with 1 where it was changed or cut, or does not hold a head that was written down before.
head prints the newest, to be written down elsewhere. export prints the history as JSON lines.
`,
  },
  backup: {
    what: "a copy of the database",
    forms: ["backup FILE [--overwrite]"],
    more: `A checked copy of the SQLite database while the hub runs. Copy the artifacts and the signing key beside it.
`,
  },
  restore: {
    what: "puts a backup in place of the database",
    forms: ["restore FILE [--head HASH] [--with-broken-history]"],
    more: `The hub must be stopped. The backup is checked first, and what was there is kept aside.
`,
  },
  migrate: {
    what: "brings the schema to this release's",
    forms: ["migrate [--check]"],
    more: `A starting hub does the same. --check only says what would be done.
`,
  },
} as const satisfies Record<string, Help>;

export type CommandName = keyof typeof COMMANDS;

export const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

/** Of one command, or of the hub. */
export function helpOf(command?: CommandName): string {
  if (command === undefined) return HELP;
  const { what, forms, more } = COMMANDS[command];
  return `Context Edge hub: ${what}.\n\n${usage(forms)}\n${more}${AS_SET}\n${EXITS}`;
}

/** What is said to somebody who used it wrongly. */
export const usageOf = (command: CommandName): string => usage(COMMANDS[command].forms).trimEnd();

function usage(forms: readonly string[]): string {
  return forms.map((form, index) => `${index === 0 ? "Usage: " : "       "}npm run hub -- ${form}\n`).join("");
}

const HELP = `Context Edge hub: versions, deployments, manifests and the dashboard.

Usage: npm run hub                            start it; settings come from the environment
       npm run hub -- COMMAND …               beside a running hub or without one
       npm run hub -- COMMAND --help

Commands
${Object.entries(COMMANDS)
  .map(([name, { what }]) => `  ${name.padEnd(12)} ${what}\n`)
  .join("")}
Settings
  HUB_HOST                   address to listen on                          127.0.0.1
  HUB_PORT                   port to listen on                             8000
  HUB_DATA                   directory of database, artifacts and keys     ./hub-data
  HUB_AUTH                   none (loopback only), token or accounts       none
  HUB_API_TOKEN_FILE         file with the token, for HUB_AUTH=token
  HUB_PUBLIC_URL             where browsers reach the hub: for links, webhooks and OIDC
  HUB_SESSION_IDLE_MINUTES   a session that is not used this long is over  1440
  HUB_TRUSTED_PROXIES        whose X-Forwarded-For is believed: addresses and ranges, comma-separated
  HUB_OIDC_ISSUER, HUB_OIDC_CLIENT_ID, HUB_OIDC_CLIENT_SECRET_FILE    sign-in by OpenID Connect, with accounts
  HUB_OIDC_ROLE_CLAIM        claim with the person's groups                groups
  HUB_OIDC_ROLES             who gets which role: edge-admins=admin,*=viewer
  HUB_JOIN_TOKEN_FILE        file with the token that admits new devices
  HUB_SIGNING_KEY_FILE       Ed25519 key, PKCS8 PEM; made at first start   <data>/keys/hub.key.pem
  HUB_PREVIOUS_SIGNING_KEY_FILE  signs beside it while devices still know only the earlier key
  HUB_RELEASE_KEYS           public keys of training sides, SPKI PEM files, comma-separated
  HUB_DEV_RELEASE_KEY_FILE   laptop only: sign what is registered without a statement
  HUB_GATE_SOAK_SECONDS      how long a pilot is watched                   86400
  HUB_QUARANTINE_AFTER       devices that roll a file back before nobody may install it; 2 or 10%   2
  HUB_PROBE_POLICY           JSON, overrides of the devices' probe policy
  HUB_PILOT_GROUP            name of the pilot group                       pilot
  HUB_OFFLINE_AFTER_SECONDS  silence after which a device is offline       90
  HUB_MANIFEST_HOURS         lifetime of a signed manifest                 168
  HUB_REHASH_ARTIFACTS       hash files again before they are served      true
  HUB_MAX_ARTIFACT_BYTES     largest file taken                            17179869184
  HUB_KEEP_MINUTES           points of a minute kept per series (24 h)     1440
  HUB_KEEP_HOURS             points of an hour kept per series (30 days)   720
  HUB_KEEP_DAYS              points of a day kept per series               400
  HUB_KEEP_LABELS_DAYS       how long labelled predictions are kept        400
  HUB_KEEP_OUTCOMES_DAYS     how long outcomes are kept, beyond the newest 365
  HUB_KEEP_UNUSED_DAYS       how long files stay that nothing refers to; 0: for ever   7
  HUB_DEAD_AFTER_DAYS        silence after which a device is called dead   90
  HUB_HEARTBEAT_WRITE_SECONDS  a heartbeat without news is written no more
                             often than this; 0: every one                 86400
  HUB_DASHBOARD_DIR          the built dashboard                           ../dashboard/dist
  HUB_TELL_OFFLINE_SECONDS   silence after which webhooks tell of a device 1800
  HUB_WEBHOOK_LOOPBACK       may webhooks call this machine itself         true with HUB_AUTH=none
  HUB_CLUSTER                auto: on in a pod with a service account token, or with HUB_KUBECONFIG; on, off   auto
  HUB_KUBECONFIG             way to a cluster from outside; with HUB_CLUSTER=on KUBECONFIG counts too
  HUB_CLUSTER_GROUPS         who decides after enrolment: hub writes labels of nodes, label moves devices     hub
  HUB_CLUSTER_NAMESPACE      where the agents' pods are                    context-edge-agents
  HUB_CLUSTER_AGENTS         label selector of the agents' pods            app.kubernetes.io/name=context-edge-agent
  HUB_CLUSTER_NODES          labels of nodes that are to run an agent, comma-separated; one is enough
                             context-edge.io/jetson=true,context-edge.io/lab=true
  HUB_SHUTDOWN_SECONDS       longest orderly end                           15
  HUB_DRAIN_SECONDS          how much of it requests are still taken       5, on a loopback address 0
  HUB_LOG_LEVEL              fatal … trace, silent                         info
  S3_BUCKETS                 buckets, comma-separated; the first takes uploads. Unset: a local directory
  S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY
  S3_FORCE_PATH_STYLE        the bucket in the path, not in the host name  true
  HUB_S3_CHECKSUMS           when-required, or when-supported by the store when-required
  DATABASE_URL               postgres://…: PostgreSQL and several hubs. Unset: SQLite under HUB_DATA

${EXITS}`;
