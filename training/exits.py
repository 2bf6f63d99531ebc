"""How a run ends: one exit code per kind of end, so that cron, systemd or CI can tell them apart."""

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FAULT = 1
    USAGE = 2
    DATA = 3
    TRAINING = 4
    UNREACHABLE = 5
    REFUSED = 6
    NOT_BETTER = 7
    BUSY = 8
    STOPPED = 143  # 128 + SIGTERM, as a shell reports it


MEANING: dict[Exit, str] = {
    Exit.DONE: "registered, was registered before with the same content, or there is nothing new to train",
    Exit.FAULT: "a fault of this program; the last lines of stderr say where",
    Exit.USAGE: "wrong use or a wrong setting; nothing was begun",
    Exit.DATA: "the samples cannot be read, are too few, or too many of them are bad",
    Exit.TRAINING: "training, export or the engine build failed",
    Exit.UNREACHABLE: "the hub cannot be reached; the next start goes on where this one ended",
    Exit.REFUSED: "the hub refused: token, signature, or a version that exists with other content",
    Exit.NOT_BETTER: "not better than the version that runs (--require-better); nothing was registered",
    Exit.BUSY: "another run works in the same directory",
    Exit.STOPPED: "stopped by SIGTERM or Ctrl-C; the next start goes on from the checkpoint",
}


@dataclass
class Failure(Exception):
    """An end other than done, with what the reader needs. Never carries a secret."""

    exit: Exit
    code: str  # stable, upper case: the hub's own, or one of this program's
    sentence: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.sentence} ({self.code})"
