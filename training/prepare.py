"""From a fitted network to everything that is published: file, figures, golden samples, and the verdict beside what runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.begin import Task
from training.checkpoint import Curves
from training.compare import Comparison, compare, require_better
from training.documents import golden_document, write_json
from training.durable import write_through
from training.durable import write_json as write_release
from training.evaluate import accuracy, measure, predict, predict_file
from training.exits import Exit, Failure
from training.export import described, export_onnx
from training.generator import Floats
from training.hub.client import HubClient
from training.network import Network
from training.progress import Progress
from training.release import Release, variant_of
from training.settings import Settings
from training.tensorrt import WHERE_ENGINES_COME_FROM, build_engine, find_builder, this_machine

# Between PyTorch and onnxruntime on the same numbers; more than rounding is a wrong export.
LARGEST_DIFFERENCE = 1e-3


def prepare(task: Task, network: Network, curves: Curves, settings: Settings, hub: HubClient | None, progress: Progress) -> None:
    """Writes model.onnx, metrics.json, golden.json and, last, release.json into the run. Raises Failure."""
    run, held_out = task.work.run, task.samples.held_out
    path = run / "model.onnx"
    write_through(path, lambda beside: export_onnx(network, beside))
    answers = predict_file(path, held_out)
    _compare_with_memory(answers, predict(network, held_out))
    # Measured on the exported file: that is what devices will run.
    measured = accuracy(answers, held_out.label)
    comparison = None if hub is None or task.opponent is None else compare(hub, task.opponent, held_out, task.work.cache)
    _tell(task.record.version, measured, comparison, len(held_out), progress)
    if comparison is not None and settings.require_better:
        _judge(task, measured, comparison, settings.margin)
    details = measure(answers, held_out.label) | described(task.plan, network, curves, len(held_out)) | {
        "onnx_accuracy": measured,
        "recipe": task.record.recipe,
        "samples_from": task.samples.source,
        "trained_with": {"torch": torch.__version__, "numpy": np.__version__, "threads": settings.threads},
    }
    if comparison is not None:
        details["compared_with"] = comparison.document(len(held_out))
    golden = golden_document(network, task.samples.golden)
    files = [(path.name, variant_of(path, "onnx")), *_engine(path, run / "model.trt", settings, progress)]
    release = Release(
        accuracy=measured, training_samples=task.plan.samples, training_date=task.record.finished_at or "",
        metrics=details, golden=golden, files=tuple(files),
    )
    write_json(run / "golden.json", golden, one_per_line="samples")
    write_json(run / "metrics.json", release.report(task.record.version))
    # The last one: whoever finds it needs nothing that came before.
    write_release(run / "release.json", release.document())


def _compare_with_memory(of_file: Floats, in_memory: Floats) -> None:
    difference = float(np.abs(of_file - in_memory).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise Failure(Exit.TRAINING, "EXPORT_DIFFERS", f"The exported file answers up to {difference:.4f} other than the network.",
                      "Report this: the export is wrong, and nothing was registered.")


def _judge(task: Task, measured: float, comparison: Comparison, margin: float) -> None:
    try:
        require_better(measured, comparison, margin)
    except Failure:
        # Remembered, so that the next start does not train the same again for the same verdict.
        task.work.end(replace(task.record, outcome="not-better", compared_with=comparison.version))
        raise


def _tell(version: str, measured: float, comparison: Comparison | None, held_out: int, progress: Progress) -> None:
    facts: dict[str, Any] = {"version": version, "accuracy": measured, "held_out": held_out}
    if comparison is None:
        words = f"{version}: accuracy {measured:.4f} on {held_out} held-out samples; no version to compare with."
    elif comparison.figures is None:
        words = f"{version}: accuracy {measured:.4f}; {comparison.version} could not be measured here: {comparison.why}."
        facts |= {"other": comparison.version, "why": comparison.why}
    else:
        other = float(comparison.figures["accuracy"])
        words = (f"{version}: accuracy {measured:.4f}, {comparison.version} {other:.4f} on the same {held_out} held-out samples "
                 f"({100 * (measured - other):+.2f} points)")
        facts |= {"other": comparison.version, "other_accuracy": other}
    progress.tell("measured", words, **facts)


def _engine(model: Path, engine: Path, settings: Settings, progress: Progress) -> list[Any]:
    builder = find_builder(settings.engines, this_machine(settings.trtexec))
    if not isinstance(builder, str):
        return [(engine.name, build_engine(builder, model, engine, lambda words: progress.tell("engine", words)))]
    if settings.engines == "always":
        raise Failure(Exit.USAGE, "NO_ENGINE_HERE", f"No engine can be built: {builder}.", "Say TRAINING_ENGINES=auto.")
    progress.tell("engine", f"No TensorRT engine is built: {builder}. {WHERE_ENGINES_COME_FROM}", why=builder)
    return []
