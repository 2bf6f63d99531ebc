"""Every setting of a run, once: flag, environment variable, default and meaning. --help and docs/training.md come from here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """`flag` is None for what other users of the machine must not read in a list of processes."""

    name: str
    env: str
    meaning: str
    default: str = ""
    is_switch: bool = False
    is_secret: bool = False

    @property
    def flag(self) -> str | None:
        return None if self.is_secret else f"--{self.name.replace('_', '-')}"


HUB = (
    Option("hub", "CONTEXT_EDGE_URL", "the hub's address"),
    Option("token", "CONTEXT_EDGE_TOKEN", "an API token of scope publisher", is_secret=True),
    Option("token_file", "CONTEXT_EDGE_TOKEN_FILE", "a file with it instead, for mounted secrets"),
    Option("no_hub", "TRAINING_NO_HUB", "train, measure and export only; the files stay under --work", is_switch=True),
    Option("patience", "TRAINING_PATIENCE", "seconds to wait for a hub, database or S3 that is away", "900"),
)
RELEASE = (
    Option("model", "TRAINING_MODEL", "the model, when it is not the default one", "default"),
    Option("version", "TRAINING_VERSION", "the new version; else the day in UTC, then -2, -3 …"),
    Option("key", "CONTEXT_EDGE_RELEASE_KEY_FILE", "the release key, Ed25519 in PKCS8 PEM"),
    Option("minimum_release", "TRAINING_MINIMUM_RELEASE", "as of context-edge publish: devices that ran this never go below"),
)
SAMPLES = (
    Option("database", "TRAINING_DATABASE_URL", "postgres://… with the samples of training/schema.sql", is_secret=True),
    Option("table", "TRAINING_TABLE", "their table, also as schema.table", "labelled_samples"),
    Option("s3", "TRAINING_S3", "s3://bucket/prefix of JSON lines; keys and endpoint as boto3 reads them (AWS_…)"),
    Option("samples", "TRAINING_SAMPLES", "how many to generate where neither of the two is set", "48000"),
    Option("min_samples", "TRAINING_MIN_SAMPLES", "fewer labelled samples than this are too few", "1000"),
    Option("held_out_share", "TRAINING_HELD_OUT_SHARE", "share of PostgreSQL's and S3's samples that is only measured on", "0.2"),
)
NETWORK = (
    Option("hidden", "TRAINING_HIDDEN", "widths of the hidden layers", "256,128"),
    Option("dropout", "TRAINING_DROPOUT", "share of their units left out while learning", "0.1"),
    Option("epochs", "TRAINING_EPOCHS", "passes over the samples, 2000 at most", "24"),
    Option("batch", "TRAINING_BATCH", "samples per step", "256"),
    Option("learning_rate", "TRAINING_LEARNING_RATE", "the highest of the cycle", "0.002"),
    Option("weight_decay", "TRAINING_WEIGHT_DECAY", "of AdamW", "0.01"),
    Option("seed", "TRAINING_SEED", "of generated samples, weights and order", "21"),
)
MACHINE = (
    Option("device", "TRAINING_DEVICE", "auto, cpu or cuda", "auto"),
    Option("threads", "TRAINING_THREADS", "CPU threads; another number may move the last digits", "2"),
    Option("work", "TRAINING_WORK", "directory for checkpoints, results and the running version's file", "training-work"),
    Option("checkpoint_every", "TRAINING_CHECKPOINT_EVERY", "epochs between checkpoints", "1"),
    Option("fresh", "TRAINING_FRESH", "throw an unfinished run away instead of going on with it", is_switch=True),
    Option("force", "TRAINING_FORCE", "train although there is nothing new to train", is_switch=True),
    Option("engines", "TRAINING_ENGINES", "TensorRT: auto (on a Jetson), always (where trtexec and a GPU are), never", "auto"),
    Option("trtexec", "TRAINING_TRTEXEC", "where trtexec is; else PATH and /usr/src/tensorrt/bin"),
)
JUDGING = (
    Option("compare_with", "TRAINING_COMPARE_WITH", "auto (what most devices run), none, or a version", "auto"),
    Option("require_better", "TRAINING_REQUIRE_BETTER", "register nothing that is not better than that", is_switch=True),
    Option("margin", "TRAINING_MARGIN", "how much better, in accuracy", "0"),
)
OUTPUT = (Option("json", "TRAINING_JSON", "one JSON object per line on stdout", is_switch=True),)

GROUPS: dict[str, tuple[Option, ...]] = {
    "the hub": HUB,
    "the version": RELEASE,
    "the samples": SAMPLES,
    "the network": NETWORK,
    "the machine": MACHINE,
    "judging": JUDGING,
    "output": OUTPUT,
}
OPTIONS: tuple[Option, ...] = tuple(option for group in GROUPS.values() for option in group)
