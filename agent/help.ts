// What `--help` prints: the commands and every setting with its default.

export const HELP = `Context Edge agent: keeps one device's models as its hub wants them, and undoes what does not work.

Usage: node agent/main.ts [run|once|status]
  run     follow the hub until SIGTERM (default)
  once    do everything there is to do now, report it, and exit: 0 when the device is where it should be
  status  say what the running agent says of itself; exit 1 when something is wrong

Settings (environment):
  AGENT_DEVICE_ID          name of this device at the hub                          (host name)
  AGENT_MODELS_DIR         directory of the model files and slot links             (/opt/context-edge/models)
  AGENT_HUB_URL            address of the hub                                      (required)
  AGENT_HUB_KEYS           public keys of the hub, SPKI PEM files, comma list      (required)
  AGENT_RELEASE_KEYS       public keys releases are signed with, likewise          (required)
  AGENT_JOIN_TOKEN_FILE    file with the token that enrols this device
  AGENT_GROUP              group wished for at the first enrolment
  AGENT_ARTIFACT_ORIGINS   origins beside the hub that downloads may be redirected to, comma list
  AGENT_LINK_NAME          name of the link to the running file; its backup adds .backup (current.trt)
  AGENT_RELOADER           command | triton | systemd-path | none                  (none)
  AGENT_RELOAD_COMMAND     for command: JSON list of words, run without a shell
  AGENT_REQUEST_DIR        for systemd-path: where requests and results lie        (/run/context-edge/requests)
  AGENT_PROBE              oip | command | none                                    (none)
  AGENT_PROBE_COMMAND      for command: JSON list of words, run without a shell
  AGENT_INFERENCE_URL      for triton and oip: address of the inference service    (http://127.0.0.1:8000)
  AGENT_INFERENCE_MODEL    name under which the service serves the default model   (default)
  AGENT_STATUS_HOST        where the status page listens                           (127.0.0.1)
  AGENT_STATUS_PORT        its port; 0 for no page                                 (9090)
  AGENT_STATUS_URL         the page's address as people reach it, told to the hub
  AGENT_POLL_WAIT_SECONDS  how long the hub may hold a poll                        (25)
  AGENT_POLL_MIN_MS        least time between polls, and the first wait after a failure (1000)
  AGENT_POLL_MAX_MS        longest wait after failures                             (300000)
  AGENT_HEARTBEAT_MS       time between reports when nothing happens               (15000)
  AGENT_LOG_LEVEL          silent | error | warn | info | debug                    (info)
  HTTP_PROXY, HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are honoured.`;
