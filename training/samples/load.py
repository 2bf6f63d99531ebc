"""Reads the samples of a run and splits them: by id, so that what was held out once is held out for ever."""

import hashlib

import numpy as np

from training.exits import Exit, Failure
from training.progress import Progress
from training.samples.generated import generate
from training.samples.sets import Samples
from training.samples.table import Table
from training.settings import SampleSettings
from training.vocabulary import CLASSES

VALIDATION_SHARE = 0.1


def load(settings: SampleSettings, seed: int, progress: Progress) -> Samples:
    """Raises Failure where there is nothing to train on."""
    if settings.database is None and settings.s3 is None:
        samples = generate(settings.generated, seed)
    else:
        table, source = _read(settings, progress)
        samples = _split(table, settings, source, progress)
    counts = {name: len(records) for name, records in samples.parts()}
    progress.tell("samples", f"{counts['training']} samples to learn from, {counts['validation']} for the curve, "
                             f"{counts['held_out']} held out, from {samples.source}", source=samples.source, **counts)
    missing = [name for index, name in enumerate(CLASSES) if not (samples.training.label == index).any()]
    if missing:
        progress.tell("warning", f"warning: no sample to learn {', '.join(missing)} from.", classes=missing)
    return samples


def _read(settings: SampleSettings, progress: Progress) -> tuple[Table, str]:
    """S3 first: where both speak of a sample, the database has the last word."""
    table, sources = Table(), []
    if settings.s3 is not None:
        # Loaded when needed: whoever generates needs neither library.
        from training.samples.s3 import add_objects
        bucket, prefix = settings.s3
        objects = add_objects(table, bucket, prefix)
        sources.append(f"s3://{bucket}/{prefix} ({objects} object{'' if objects == 1 else 's'})")
    if settings.database is not None:
        from training.samples.postgres import read_rows
        for row in read_rows(settings.database, settings.table, settings.patience_s,
                             lambda words: progress.tell("waiting", words)):
            table.add(row, f"{settings.table} id {row['id']}")
        sources.append(f"PostgreSQL ({settings.table})")
    return table, " and ".join(sources)


def _split(table: Table, settings: SampleSettings, source: str, progress: Progress) -> Samples:
    names = table.complete()
    left_out = {"bad": table.bad.total(), "incomplete": len(table.rows) - len(names)}
    if any(left_out.values()):
        progress.tell("left-out", f"left out: {left_out['incomplete']} samples without a label or without a reading, "
                                  f"{left_out['bad']} bad rows", **left_out)
    if len(names) < settings.minimum:
        raise Failure(Exit.DATA, "SAMPLES_TOO_FEW", f"{len(names)} labelled samples in {source} are fewer than {settings.minimum}.",
                      "Label more, or lower TRAINING_MIN_SAMPLES.")
    places = np.array([_place(name) for name in names])
    held_out, validation = settings.held_out_share, settings.held_out_share + VALIDATION_SHARE * (1 - settings.held_out_share)
    records = table.records(names)
    samples = Samples(
        training=records.take(np.flatnonzero(places >= validation)),
        validation=records.take(np.flatnonzero((places >= held_out) & (places < validation))),
        held_out=records.take(np.flatnonzero(places < held_out)),
        golden=records.take(np.flatnonzero(places < held_out)),
        source=source,
    )
    empty = [name for name, part in samples.parts() if len(part) == 0]
    if empty:
        raise Failure(Exit.DATA, "SAMPLES_TOO_FEW", f"Of {len(names)} samples none fell into {empty[0]}.", "Label more.")
    return samples


def _place(name: str) -> float:
    """0 to 1, by the id alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48
