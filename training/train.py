"""The training container's command: trains one version and registers it for review. `python -m training.train --help`."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import FrameType

from training.exits import Exit, Failure
from training.progress import Progress, utc_now
from training.settings import read_settings


def main(arguments: Sequence[str], environment: Mapping[str, str], now: Callable[[], datetime] = utc_now) -> Exit:
    progress = Progress(now=now, as_json="--json" in arguments)
    try:
        settings = read_settings(arguments, environment)
        progress = Progress(now=now, as_json=settings.json)
        from training.run import run  # here, so that a wrong setting is told before PyTorch is loaded

        run(settings, progress, now)
        return Exit.DONE
    except Failure as failure:
        progress.fail(failure)
        return failure.exit
    except KeyboardInterrupt:
        progress.fail(Failure(Exit.STOPPED, "STOPPED", "Stopped.", "Start it again: it goes on from the last checkpoint."))
        return Exit.STOPPED


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """As Ctrl-C. The first process of a container is not ended by SIGTERM unless it says how."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main(sys.argv[1:], os.environ))
