"""Signs, uploads, registers. All of it may be done again: the same content changes nothing."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from training.begin import Task
from training.documents import write_json
from training.exits import Failure
from training.hub.client import HubClient
from training.hub.upload import upload
from training.hub.versions import list_versions, next_version
from training.progress import Progress
from training.release import Release, read_release
from training.settings import Settings
from training.signing.keys import ReleaseKey
from training.signing.statement import Statement
from training.work import Record

# Each time another trainer took the same name in the same moment.
MOST_RENAMES = 5


def publish(task: Task, settings: Settings, hub: HubClient, key: ReleaseKey, progress: Progress) -> None:
    """Raises Failure; the run stays as it is then, and the next start comes straight here."""
    release, record = read_release(task.work.run / "release.json"), task.record
    for name, variant in release.files:
        if not upload(hub, task.work.run / name, variant):
            progress.tell("uploaded", f"{name}: the hub has it already.", file=name, sha256=variant.digest)
    for renames in range(MOST_RENAMES + 1):
        try:
            reply = hub.post("mlops/models/register", _request(record, release, settings, key))
            break
        except Failure as refusal:
            is_ours_to_choose = settings.version is None and renames < MOST_RENAMES
            if refusal.code != "VERSION_CONFLICT" or not is_ours_to_choose:
                raise
            taken = {str(version["version_id"]) for version in list_versions(hub, settings.model)}
            renamed = next_version(taken, datetime.fromisoformat(record.began_at).date())
            progress.tell("renamed", f"{record.version} was taken meanwhile; this one becomes {renamed}.", version=renamed)
            record = task.work.save(replace(record, version=renamed))
    for warning in reply.get("warnings", []):
        progress.tell("warning", f"warning: {warning}")
    write_json(task.work.run / "metrics.json", release.report(record.version))
    task.work.end(replace(record, outcome="registered"))
    progress.tell("registered", str(reply["message"]), version=record.version, status=reply["status"], sha256=reply["sha256"],
                  signed_by=reply["signed_by"], accuracy=reply["accuracy"], accuracy_delta=reply["accuracy_delta"])


def _request(record: Record, release: Release, settings: Settings, key: ReleaseKey) -> dict[str, Any]:
    """The same to the byte whenever it is made again: the time is when training ended, and Ed25519 has no chance in it."""
    statement = Statement(
        model=settings.model, version=record.version, created_at=datetime.fromisoformat(release.training_date),
        variants=tuple(variant for _, variant in release.files), golden=release.golden,
        minimum_release=settings.minimum_release,
    )
    return {
        **release.report(record.version),
        "model": settings.model,
        "model_path": f"artifact://{release.files[0][1].digest}",
        "statement": statement.sign(key),
    }
