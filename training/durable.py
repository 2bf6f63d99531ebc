"""The one door to disk: a file is either the old one or the new one, whatever happens in between."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_through(path: Path, write: Callable[[Path], object]) -> None:
    """`write` fills a file beside `path`, which then takes its place: fsync, rename(2), fsync of the directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    write(beside)
    with open(beside, "rb") as written:
        os.fsync(written.fileno())
    os.replace(beside, path)
    sync_directory(path.parent)


def write_json(path: Path, document: object) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1)
    write_through(path, lambda beside: beside.write_text(f"{text}\n", encoding="utf-8"))


def read_json(path: Path) -> Any:
    """The document, or None where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
