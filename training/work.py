"""The work directory: one run at a time, what an unfinished one left, and what earlier ones came to.

    lock                 held while a run works
    run/                 the unfinished run: record.json, samples.npz, checkpoint.pt, then model.onnx and what describes it
    done/<version>/      the newest runs that ended, without their samples
    cache/<sha256>       files of versions that were compared with
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from training.durable import read_json, sync_directory, write_json
from training.exits import Exit, Failure
from training.progress import timestamp

RUNS_KEPT = 5
FILES_CACHED = 3


@dataclass(frozen=True)
class Record:
    """What a run is about. `recipe` names samples, plan and program: the same recipe gives the same model."""

    version: str
    recipe: str
    asked: str  # which samples were asked for: where from, how split
    began_at: str
    finished_at: str | None = None  # of the training; the statement's time and release number come from it
    outcome: str | None = None  # registered, exported, not-better
    compared_with: str | None = None


@dataclass(frozen=True)
class Work:
    directory: Path

    @property
    def run(self) -> Path:
        return self.directory / "run"

    @property
    def cache(self) -> Path:
        return self.directory / "cache"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Ends with the process, however that ends."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = open(self.directory / "lock", "a")
        except OSError as error:
            raise Failure(Exit.USAGE, "WORK_UNWRITABLE", f"{self.directory} cannot be written: {error.strerror}.",
                          "Name a directory of this user's in TRAINING_WORK.") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Failure(Exit.BUSY, "RUN_UNDER_WAY", f"Another run works in {self.directory}.",
                              "Wait for it, or give this one a directory of its own (TRAINING_WORK).") from None
            yield

    def unfinished(self) -> Record | None:
        return _record(self.run)

    def begin(self) -> None:
        """An empty run directory; what was in it is thrown away."""
        shutil.rmtree(self.run, ignore_errors=True)
        self.run.mkdir(parents=True)

    def save(self, record: Record) -> Record:
        write_json(self.run / "record.json", asdict(record))
        return record

    def finish(self, record: Record, now: datetime) -> Record:
        """Training is over: from here on the time stands, so that a repeated start signs the same statement."""
        return record if record.finished_at else self.save(replace(record, finished_at=timestamp(now)))

    def end(self, record: Record) -> Path:
        """Moves the run to the ones that are done. @returns where its files are now."""
        self.save(record)
        for name in ("samples.npz", "checkpoint.pt", "checkpoint.unfit"):
            (self.run / name).unlink(missing_ok=True)
        done = self.directory / "done" / record.version
        shutil.rmtree(done, ignore_errors=True)
        done.parent.mkdir(exist_ok=True)
        self.run.rename(done)
        sync_directory(done.parent)
        _keep_newest(done.parent, RUNS_KEPT)
        _keep_newest(self.cache, FILES_CACHED)
        return done

    def ended(self) -> list[Record]:
        records = [_record(directory) for directory in (self.directory / "done").glob("*")]
        return [record for record in records if record is not None]


def _record(directory: Path) -> Record | None:
    kept = read_json(directory / "record.json")
    try:
        return Record(**kept) if isinstance(kept, dict) else None
    except TypeError:  # of another release of this program
        return None


def _keep_newest(directory: Path, count: int) -> None:
    entries = sorted(directory.glob("*"), key=lambda entry: entry.stat().st_mtime, reverse=True)
    for entry in entries[count:]:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
