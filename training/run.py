"""One run: begin or go on, learn, export, measure beside what runs, sign, upload, register."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import torch

from training.begin import Task, begin
from training.checkpoint import Checkpoints, Curves
from training.exits import Exit, Failure
from training.fit import Epoch, train
from training.hub.client import HubClient, connect
from training.hub.versions import check_permission, list_versions
from training.network import Network
from training.prepare import prepare
from training.progress import Progress
from training.publish import publish
from training.recipe import conditions_of
from training.settings import Settings
from training.signing.keys import ReleaseKey, load_release_key
from training.work import Work


def run(settings: Settings, progress: Progress, now: Callable[[], datetime]) -> None:
    """Raises Failure for every end but a good one. Whatever was done by then is not done again by the next start."""
    # Everything that can be wrong on this side is found before hours of training, not after.
    key = load_release_key(settings.key_file) if settings.key_file else None
    device = _device(settings.device)
    torch.set_num_threads(settings.threads)
    hub = _connect(settings, progress)
    work = Work(settings.work)
    with work.locked():
        versions = list_versions(hub, settings.model) if hub else []
        task = begin(settings, work, versions, progress, now)
        if task is None:
            return
        if not task.is_prepared:
            network, curves = _learn(task, settings, device, progress)
            task = replace(task, record=work.finish(task.record, now()))
            prepare(task, network, curves, settings, hub, progress)
        if hub is not None and key is not None:
            publish(task, settings, hub, key, progress)
            return
        done = work.end(replace(task.record, outcome="exported"))
        progress.tell("exported", f"{task.record.version} is in {done}; no hub was told.", version=task.record.version,
                      directory=str(done))


def _learn(task: Task, settings: Settings, device: torch.device, progress: Progress) -> tuple[Network, Curves]:
    key = conditions_of(task.record.recipe, device, settings.threads)
    checkpoints = Checkpoints(task.work.run / "checkpoint.pt", key, settings.checkpoint_every,
                              lambda words: progress.tell("warning", words))

    def report(epoch: Epoch) -> None:
        progress.tell("epoch", f"{epoch}  left {epoch.seconds_left:.0f} s", epoch=epoch.number, epochs=epoch.of,
                      loss=epoch.loss, validation_accuracy=epoch.validation_accuracy, seconds=round(epoch.seconds, 2),
                      seconds_left=round(epoch.seconds_left, 1))

    samples = task.samples
    progress.tell("training", f"training {task.record.version} on {device.type}, {settings.threads} threads",
                  version=task.record.version, device=device.type, threads=settings.threads)
    return train(task.plan, samples.training, samples.validation, report, checkpoints, device)


def _connect(settings: Settings, progress: Progress) -> HubClient | None:
    if settings.hub is None:
        return None
    hub = connect(settings.hub.url, settings.hub.token, settings.hub.patience_s, progress)
    check_permission(hub)
    return hub


def _device(wish: str) -> torch.device:
    is_there = torch.cuda.is_available()
    if wish == "cuda" and not is_there:
        raise Failure(Exit.USAGE, "NO_GPU", "PyTorch sees no GPU here.",
                      "Start the container with --gpus all, or train with --device cpu.")
    return torch.device("cuda" if is_there and wish != "cpu" else "cpu")
