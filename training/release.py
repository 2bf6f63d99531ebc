"""What a run publishes, but for its name and its signature: those are given when it is sent."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.durable import read_json
from training.signing.statement import Variant


@dataclass(frozen=True)
class Release:
    """`files` are names in the run's directory with what they are; the first one is the portable model."""

    accuracy: float
    training_samples: int
    training_date: str
    metrics: dict[str, Any]
    golden: dict[str, Any]
    files: tuple[tuple[str, Variant], ...]

    def report(self, version: str) -> dict[str, Any]:
        """metrics.json, as the demo's models have it and `context-edge publish --metrics` reads it."""
        return {"version_id": version, "accuracy": self.accuracy, "training_samples": self.training_samples,
                "training_date": self.training_date, "metrics": self.metrics}

    def document(self) -> dict[str, Any]:
        return asdict(self)


def read_release(path: Path) -> Release:
    document = read_json(path)
    files = tuple((name, Variant(**variant)) for name, variant in document.pop("files"))
    return Release(**document, files=files)


def variant_of(path: Path, file_format: str) -> Variant:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Variant(digest, path.stat().st_size, file_format)
