"""What a run says while it works: a line per event, for people, or as JSON for programs."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TextIO

from training.exits import Failure


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as the hub's own times are written."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True)
class Progress:
    """Results and progress go to `out`, failures to `err`; with `as_json` everything goes to `out`, one object per line."""

    out: TextIO = sys.stdout
    err: TextIO = sys.stderr
    as_json: bool = False
    now: Callable[[], datetime] = utc_now

    def tell(self, event: str, sentence: str, **facts: object) -> None:
        if self.as_json:
            line = json.dumps({"at": timestamp(self.now()), "event": event, "message": sentence, **facts})
            print(line, file=self.out, flush=True)
        else:
            print(sentence, file=self.out, flush=True)

    def fail(self, failure: Failure) -> None:
        if self.as_json:
            self.tell("failed", failure.sentence, code=failure.code, exit=int(failure.exit), next_step=failure.next_step)
        else:
            print(f"{failure}\nnext: {failure.next_step}", file=self.err, flush=True)
