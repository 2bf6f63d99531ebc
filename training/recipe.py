"""Names what makes a model: the same recipe trained again gives the same file, another one may not be gone on with."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

from training.plans import Plan
from training.samples.sets import Samples
from training.settings import SampleSettings

PROGRAM = ("vocabulary.py", "network.py", "fit.py", "export.py")


def recipe_of(plan: Plan, samples: Samples) -> str:
    """sha256 over samples, plan and the program that trains; the version's name is no part of it."""
    facts = asdict(plan) | {"version_id": "", "note": "", "samples": len(samples.training)}
    sources = b"".join((Path(__file__).parent / name).read_bytes() for name in PROGRAM)
    return _digest({"plan": facts, "samples": samples.fingerprint(), "program": hashlib.sha256(sources).hexdigest()})


def asked_for(settings: SampleSettings, seed: int) -> str:
    """Which samples a run was told to take; a digest, because an address may hold a password."""
    generated = (settings.generated, seed) if settings.database is None and settings.s3 is None else None
    return _digest({"database": settings.database, "table": settings.table, "s3": settings.s3,
                    "held_out_share": settings.held_out_share, "generated": generated})


def conditions_of(recipe: str, device: torch.device, threads: int) -> str:
    """Where the same recipe gives the same bits: what a checkpoint is gone on with under."""
    return _digest({"recipe": recipe, "torch": torch.__version__, "device": device.type, "threads": threads})


def _digest(facts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
