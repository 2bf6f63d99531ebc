// What `node hub/main.ts --help` says.
export const HELP = `Context Edge hub: versions, deployments, manifests and the dashboard.

Usage: node hub/main.ts            (settings come from the environment)

  HUB_HOST                   address to listen on                          127.0.0.1
  HUB_PORT                   port to listen on                             8000
  HUB_DATA                   directory of database, artifacts and keys     ./hub-data
  HUB_AUTH                   none (loopback only) or token                 none
  HUB_API_TOKEN_FILE         file with the token, for HUB_AUTH=token
  HUB_JOIN_TOKEN_FILE        file with the token that admits new devices
  HUB_SIGNING_KEY_FILE       Ed25519 key, PKCS8 PEM; made at first start   <data>/keys/hub.key.pem
  HUB_RELEASE_KEYS           public keys of training sides, SPKI PEM files, comma-separated
  HUB_DEV_RELEASE_KEY_FILE   laptop only: sign what is registered without a statement
  HUB_GATE_SOAK_SECONDS      how long a pilot is watched                   86400
  HUB_PROBE_POLICY           JSON, overrides of the devices' probe policy
  HUB_PILOT_GROUP            name of the pilot group                       pilot
  HUB_OFFLINE_AFTER_SECONDS  silence after which a device is offline       90
  HUB_MANIFEST_HOURS         lifetime of a signed manifest                 168
  HUB_MAX_ARTIFACT_BYTES     largest file taken                            17179869184
  HUB_DASHBOARD_DIR          the built dashboard                           ../dashboard/dist
  HUB_LOG_LEVEL              fatal … trace, silent                         info
  S3_BUCKETS                 buckets, comma-separated; the first takes uploads. Unset: a local directory
  S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_FORCE_PATH_STYLE

Exit codes: 0 stopped in order, 1 could not start, 2 a setting is wrong.
`;
