"""Sends one file to the hub under its digest; an upload that broke off goes on where the hub says it ended."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from training.exits import Failure
from training.hub.client import HubClient, NotNow, answered
from training.signing.statement import Variant

CHUNK = 1 << 18
# The hub hashes the whole file on its disk after the last byte.
TIMEOUT = httpx.Timeout(60, connect=10, read=1800)
PAUSES_S = (0.25, 0.5, 1, 2, 5, 10)
# Another offset than ours: somebody else sends the same file, or the hub kept less than we believed.
PASSING = ("CONFLICT",)


def upload(hub: HubClient, path: Path, variant: Variant, clock: Callable[[], float] = time.monotonic) -> bool:
    """Whether anything was sent: False when the hub had the file. Gives up when nothing got further for `patience_s`."""
    furthest, since, broken = -1, clock(), 0
    has_restarted = False
    while True:
        offset = _offset(hub, variant)
        if offset is None:
            return furthest >= 0
        if offset > furthest:
            furthest, since, broken = offset, clock(), 0
        try:
            _send(hub, path, variant, offset)
            return True
        except Failure as refusal:
            # A kept beginning that was rotten, or of another file of that name: the hub dropped it.
            is_rotten = refusal.code == "DIGEST_MISMATCH" and offset > 0 and not has_restarted
            if not is_rotten and refusal.code not in PASSING:
                raise
            has_restarted = has_restarted or is_rotten
            error: Exception = refusal
        except (NotNow, httpx.TransportError) as trouble:
            error = trouble
        if clock() - since > hub.patience_s:
            raise hub.unreachable(error)
        hub.progress.tell("waiting", f"The upload broke off ({error or type(error).__name__}); going on.", why=str(error))
        hub.sleep(PAUSES_S[min(broken, len(PAUSES_S) - 1)])
        broken += 1


def _offset(hub: HubClient, variant: Variant) -> int | None:
    """Where to go on; None when the hub has the whole file."""
    def look() -> httpx.Response:
        response = hub.wire.head(f"mlops/artifacts/{variant.digest}")
        return response if response.status_code == 404 else answered(response)

    response = hub.patiently(look)
    if response.status_code == 200:
        return None
    offset = int(response.headers.get("upload-offset", 0))
    # All bytes there and yet not whole: the last one is sent again, so that the hub looks at it.
    return min(offset, variant.size_bytes - 1)


def _send(hub: HubClient, path: Path, variant: Variant, offset: int) -> None:
    total = variant.size_bytes
    headers = {
        "content-type": "application/octet-stream",
        "content-length": str(total - offset),
        "content-range": f"bytes {offset}-{total - 1}/{total}",
    }
    hub.progress.tell("uploading", f"uploading {path.name}, {total / 1e6:.1f} MB" + (f", going on at {offset}" if offset else ""),
                      file=path.name, size_bytes=total, offset=offset)
    answered(hub.wire.put(f"mlops/artifacts/{variant.digest}", content=_read(path, offset), headers=headers, timeout=TIMEOUT))


def _read(path: Path, offset: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(offset)
        while chunk := file.read(CHUNK):
            yield chunk
