"""The samples of one run: what is learnt from, what steers the curve, and what is only ever measured on."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from training.durable import write_through
from training.generator import Records

COLUMNS = tuple(field.name for field in fields(Records))


@dataclass(frozen=True)
class Samples:
    """`source` is for people. Golden samples are chosen from `golden`, which nothing is learnt from."""

    training: Records
    validation: Records
    held_out: Records
    golden: Records
    source: str

    def parts(self) -> Iterator[tuple[str, Records]]:
        for name in ("training", "validation", "held_out", "golden"):
            yield name, getattr(self, name)

    def fingerprint(self) -> str:
        """sha256 over every value: the same fingerprint, the same samples, wherever they came from."""
        digest = hashlib.sha256()
        for name, records in self.parts():
            for column in COLUMNS:
                values: np.ndarray[tuple[int, ...], np.dtype[np.generic]] = getattr(records, column)
                digest.update(f"{name}.{column} {values.dtype} {values.shape}\n".encode())
                digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def keep(self, path: Path) -> None:
        """For a run that is killed: it goes on with these, whatever the database says by then."""
        arrays = {f"{name}.{column}": getattr(records, column) for name, records in self.parts() for column in COLUMNS}

        def write(beside: Path) -> None:
            with open(beside, "wb") as file:
                np.savez(file, source=np.array(self.source), **arrays)

        write_through(path, write)


def kept_samples(path: Path) -> Samples:
    """Raises OSError, ValueError or KeyError where the file is not one that `keep` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        parts = {name: Records(**{column: arrays[f"{name}.{column}"] for column in COLUMNS})
                 for name in ("training", "validation", "held_out", "golden")}
        return Samples(**parts, source=str(arrays["source"]))
