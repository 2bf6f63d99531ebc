"""The hub's versions: who may register, which one runs, what the next one is called, and its file."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from training.durable import write_through
from training.exits import Exit, Failure
from training.hub.client import HubClient, NotNow, answered

Version = dict[str, Any]  # as protocol/api.ts describes it; whatever else is in there is passed on

MAY_REGISTER = ("publisher", "engineer", "admin")


def check_permission(hub: HubClient) -> None:
    """Asked before hours of training, not after. Raises Failure."""
    session = hub.get("api/v1/session")
    if session.get("auth") == "none" or session.get("role") in MAY_REGISTER:
        return
    if session.get("signed_in"):
        raise Failure(Exit.REFUSED, "FORBIDDEN", f"The token's scope is {session.get('role')}; it may not register versions.",
                      "Make one for training: hub token create training --scope publisher.")
    raise Failure(Exit.REFUSED, "UNAUTHENTICATED", "The hub does not know this token, or none was given.",
                  "Set CONTEXT_EDGE_TOKEN_FILE to a file with a token of scope publisher.")


def list_versions(hub: HubClient, model: str) -> list[Version]:
    """Every version of the model, newest first, to the last page."""
    versions: list[Version] = []
    cursor: str | None = None
    while True:
        page = hub.get(f"api/v1/models/{quote(model, safe='')}/versions", limit=1000, **({"cursor": cursor} if cursor else {}))
        versions += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return versions


def running_version(versions: Sequence[Version]) -> Version | None:
    """What most devices run; before any device does, the newest that an engineer approved; None where there is neither."""
    running = max(versions, key=lambda version: int(version["running_on"]), default=None)
    if running is not None and running["running_on"] > 0:
        return running
    return next((version for version in versions if version["stage"] == "approved"), None)


def next_version(taken: Collection[str], day: date) -> str:
    """`2026.11.25`, and `2026.11.25-2` where that is taken."""
    name = day.strftime("%Y.%m.%d")
    number = 1
    while (candidate := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return candidate


def fetch_file(hub: HubClient, digest: str, into: Path) -> Path:
    """The file of that digest, verified; from `into` when it is there already."""
    path = into / digest
    if path.exists() and _sha256(path) == digest:
        return path
    write_through(path, lambda beside: hub.patiently(lambda: _download(hub.wire, digest, beside)))
    return path


def _download(wire: httpx.Client, digest: str, path: Path) -> httpx.Response:
    with wire.stream("GET", f"mlops/artifacts/{digest}") as response:
        answered(response)
        if response.next_request is None:
            return _receive(response, digest, path)
        address = response.next_request.url
    # A short-lived address of the object store; it carries its own permission and must not see the token.
    with httpx.stream("GET", address, timeout=wire.timeout) as elsewhere:
        return _receive(answered(elsewhere), digest, path)


def _receive(response: httpx.Response, digest: str, path: Path) -> httpx.Response:
    with open(path, "wb") as file:
        for chunk in response.iter_bytes():
            file.write(chunk)
    if _sha256(path) != digest:
        raise NotNow("other bytes arrived than were asked for")
    return response


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
