"""Goes on with an unfinished run, or begins one; or finds that there is nothing new to train."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from training.compare import version_to_compare_with
from training.exits import Exit, Failure
from training.hub.versions import Version, next_version
from training.plans import Plan
from training.progress import Progress, timestamp
from training.recipe import asked_for, recipe_of
from training.samples.load import load
from training.samples.sets import Samples, kept_samples
from training.settings import Settings
from training.work import Record, Work


@dataclass(frozen=True)
class Task:
    """What this run is to do. `opponent` is the version to be better than, or None."""

    work: Work
    record: Record
    plan: Plan
    samples: Samples
    opponent: Version | None

    @property
    def is_prepared(self) -> bool:
        """Trained, exported, measured: all that is left is to publish."""
        return (self.work.run / "release.json").exists()


def begin(settings: Settings, work: Work, versions: Sequence[Version], progress: Progress,
          now: Callable[[], datetime]) -> Task | None:
    """None where there is nothing new to train. Raises Failure before anything is trained in vain."""
    opponent = version_to_compare_with(list(versions), settings.compare_with)
    kept = None if settings.fresh else _unfinished(settings, work, progress)
    if kept is None:
        samples = load(settings.samples, settings.plan.seed, progress)
        recipe = recipe_of(settings.plan, samples)
        record = Record(_name(settings, work, versions, now), recipe, asked_for(settings.samples, settings.plan.seed),
                        timestamp(now()))
    else:
        record, samples = kept
    if not settings.force and _is_known(record, work, versions, opponent, progress):
        return None
    record = _named(record, settings, work, versions, now)
    if kept is None:
        work.begin()
        samples.keep(work.run / "samples.npz")
    work.save(record)
    plan = replace(settings.plan, version_id=record.version, samples=len(samples.training))
    return Task(work, record, plan, samples, opponent)


def _unfinished(settings: Settings, work: Work, progress: Progress) -> tuple[Record, Samples] | None:
    """With the samples it began with, whatever the database says by now."""
    record = work.unfinished()
    if record is None:
        return None
    try:
        samples = kept_samples(work.run / "samples.npz")
    except (OSError, ValueError, KeyError):
        samples = None
    is_asked_for = record.asked == asked_for(settings.samples, settings.plan.seed)
    if is_asked_for and samples is not None and recipe_of(settings.plan, samples) == record.recipe:
        progress.tell("going-on", f"going on with {record.version}, which was begun at {record.began_at}",
                      version=record.version, began_at=record.began_at)
        return record, samples
    progress.tell("warning", f"The unfinished {record.version} is thrown away: plan, program or samples are not the same any more.")
    return None


def _is_known(record: Record, work: Work, versions: Sequence[Version], opponent: Version | None, progress: Progress) -> bool:
    """Trained before to the end: the same samples, the same plan, the same program."""
    registered = next((one for one in versions if one["metrics"].get("recipe") == record.recipe), None)
    if registered is not None:
        _nothing_new(progress, str(registered["version_id"]), f"which is {registered['stage']}")
        if work.unfinished() is not None and record.version == registered["version_id"]:
            work.end(replace(record, outcome="registered"))
        return True
    against = None if opponent is None else str(opponent["version_id"])
    for earlier in work.ended():
        if earlier.recipe == record.recipe and earlier.outcome == "not-better" and earlier.compared_with == against:
            _nothing_new(progress, earlier.version, f"which was not better than {against}")
            return True
    return False


def _nothing_new(progress: Progress, version: str, what_of_it: str) -> None:
    progress.tell("nothing-new", f"Nothing new to train: these samples and this plan gave {version}, {what_of_it}.",
                  version=version)


def _named(record: Record, settings: Settings, work: Work, versions: Sequence[Version], now: Callable[[], datetime]) -> Record:
    """Under a name that nobody else's version has. Ours, with the answer lost, is registered again to the same effect."""
    wanted = replace(record, version=settings.version or record.version)
    taken = next((one for one in versions if one["version_id"] == wanted.version), None)
    if taken is None or taken["metrics"].get("recipe") == record.recipe:
        return wanted
    if settings.version is None:
        return replace(record, version=_name(settings, work, versions, now))
    raise Failure(Exit.REFUSED, "VERSION_CONFLICT", f"{wanted.version} is registered already, with other content.",
                  "A version never changes: name another one, or let the day name it.")


def _name(settings: Settings, work: Work, versions: Sequence[Version], now: Callable[[], datetime]) -> str:
    taken = {str(version["version_id"]) for version in versions} | {record.version for record in work.ended()}
    return settings.version or next_version(taken, now().date())
