"""The version statement: what the release key signs. Its shape is protocol/statement.ts."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from training.progress import timestamp
from training.signing.dsse import Envelope, seal
from training.signing.keys import ReleaseKey

PAYLOAD_TYPE = "application/vnd.context-edge.statement+json"


@dataclass(frozen=True)
class Variant:
    """One file of a version for one platform; an empty platform fits every device."""

    digest: str
    size_bytes: int
    format: str
    platform: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {"digest": self.digest, "size_bytes": self.size_bytes, "format": self.format, "platform": self.platform}


@dataclass(frozen=True)
class Statement:
    model: str
    version: str
    created_at: datetime
    variants: tuple[Variant, ...]
    golden: dict[str, Any]
    minimum_release: int | None = None

    @property
    def release(self) -> int:
        """From the time, as `context-edge publish` does it: rises by itself, and is the same when signed again."""
        return int(self.created_at.timestamp()) * 1000 + self.created_at.microsecond // 1000

    def document(self) -> dict[str, Any]:
        minimum = {} if self.minimum_release is None else {"minimum_release": self.minimum_release}
        return {
            "schema": 1,
            "model": self.model,
            "version": self.version,
            "release": self.release,
            **minimum,
            "created_at": timestamp(self.created_at),
            "variants": [variant.document() for variant in self.variants],
            "golden": self.golden,
        }

    def sign(self, key: ReleaseKey) -> Envelope:
        return seal(PAYLOAD_TYPE, self.document(), key)
