// What `node hub/main.ts --help` says.
export const HELP = `Context Edge hub: versions, deployments, manifests and the dashboard.

Usage: node hub/main.ts            (settings come from the environment)
       node hub/main.ts audit verify [--head HASH]   is the history whole, and does it hold a head that
                                          was written down before? exit 1 when it does not
       node hub/main.ts audit head        the newest head, to be written down elsewhere
       node hub/main.ts audit export      the history as JSON lines
       node hub/main.ts backup FILE [--overwrite]    a checked copy of the SQLite database while the hub runs
       node hub/main.ts restore FILE [--head HASH] [--with-broken-history]
                                          puts a backup in place of the SQLite database; the hub is stopped
       node hub/main.ts migrate [--check] brings the schema to this release's, or says what that would do
       node hub/main.ts user add NAME --role viewer|engineer|admin [--password-file FILE|-]
       node hub/main.ts user list | disable NAME | enable NAME | role NAME ROLE | reset NAME
       node hub/main.ts token create NAME --scope publisher|viewer|engineer|admin [--expires 90d]
       node hub/main.ts token list | revoke NAME
       node hub/main.ts join-token create [NAME] [--group GROUP] [--uses N] [--expires 7d]
       node hub/main.ts join-token list | revoke NAME

  HUB_HOST                   address to listen on                          127.0.0.1
  HUB_PORT                   port to listen on                             8000
  HUB_DATA                   directory of database, artifacts and keys     ./hub-data
  HUB_AUTH                   none (loopback only), token or accounts       none
  HUB_API_TOKEN_FILE         file with the token, for HUB_AUTH=token
  HUB_PUBLIC_URL             where browsers reach the hub, for links and OIDC
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
  HUB_DEAD_AFTER_DAYS        silence after which a device is called dead   90
  HUB_HEARTBEAT_WRITE_SECONDS  a heartbeat without news is written no more
                             often than this; 0: every one                 86400
  HUB_DASHBOARD_DIR          the built dashboard                           ../dashboard/dist
  HUB_PUBLIC_URL             where people reach the dashboard, for links in webhooks
  HUB_TELL_OFFLINE_SECONDS   silence after which webhooks tell of a device 1800
  HUB_WEBHOOK_LOOPBACK       may webhooks call this machine itself         true with HUB_AUTH=none
  HUB_SHUTDOWN_SECONDS       longest orderly end                           15
  HUB_LOG_LEVEL              fatal … trace, silent                         info
  S3_BUCKETS                 buckets, comma-separated; the first takes uploads. Unset: a local directory
  S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_FORCE_PATH_STYLE
  DATABASE_URL               postgres://…: PostgreSQL and several hubs. Unset: SQLite under HUB_DATA

As a systemd service the hub takes the credentials api-token, join-token and oidc-client-secret where no file is named.

Exit codes: 0 done, 1 could not start or something is wrong, 2 wrong use or a wrong setting.
`;
