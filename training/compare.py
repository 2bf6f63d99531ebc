"""The new version beside the one that runs: both files, the same held-out samples, the same runtime."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from training.evaluate import accuracy, measure, predict_file
from training.exits import Exit, Failure
from training.generator import Records
from training.hub.client import HubClient
from training.hub.versions import Version, fetch_file, running_version
from training.vocabulary import INPUTS, OUTPUT


@dataclass(frozen=True)
class Comparison:
    """`figures` are the other version's on this run's held-out samples; None where it cannot be run here, and `why` not."""

    version: str
    figures: dict[str, Any] | None
    why: str = ""

    def document(self, held_out: int) -> dict[str, Any]:
        """As it is registered, under `metrics.compared_with`."""
        return {"version_id": self.version, "held_out_samples": held_out} | (self.figures or {"not_comparable": self.why})


def version_to_compare_with(versions: list[Version], wish: str) -> Version | None:
    """`auto`, `none` or a version. Raises Failure where that one does not exist."""
    if wish == "none":
        return None
    if wish == "auto":
        return running_version(versions)
    named = next((version for version in versions if version["version_id"] == wish), None)
    if named is None:
        raise Failure(Exit.USAGE, "VERSION_UNKNOWN", f"There is no version {wish} to compare with.",
                      "Name one that is registered, or auto, or none.")
    return named


def compare(hub: HubClient, version: Version, held_out: Records, cache: Path) -> Comparison:
    name = str(version["version_id"])
    portable = next((variant for variant in version["variants"] if variant["format"] == "onnx"), None)
    if portable is None:
        return Comparison(name, None, "it has no ONNX file, and its engines run on their own devices only")
    try:
        path = fetch_file(hub, portable["digest"], cache)
    except Failure as failure:
        if failure.code != "ARTIFACT_MISSING":
            raise
        return Comparison(name, None, "the hub has lost its file")
    try:
        answers = _answers(path, held_out)
    except ValueError as error:
        return Comparison(name, None, str(error))
    return Comparison(name, {"accuracy": accuracy(answers, held_out.label), **measure(answers, held_out.label)})


def _answers(path: Path, held_out: Records) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Raises ValueError that says why the file cannot be asked these samples."""
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds of errors have no common parent
        raise ValueError(f"onnxruntime cannot load its file: {type(error).__name__}") from None
    inputs, outputs = ({value.name for value in values} for values in (session.get_inputs(), session.get_outputs()))
    if inputs != set(INPUTS) or OUTPUT not in outputs:
        raise ValueError(f"it asks for {', '.join(sorted(inputs))} instead of {', '.join(sorted(INPUTS))}")
    return predict_file(path, held_out)


def require_better(new: float, comparison: Comparison, margin: float) -> None:
    """Raises Failure unless `new` is above the other's accuracy by more than `margin`. Not comparable is not better."""
    sentence = f"{comparison.version} could not be measured here: {comparison.why}."
    if comparison.figures is not None:
        other = float(comparison.figures["accuracy"])
        if new > other + margin:
            return
        beyond = f" by more than {margin:g}" if margin else ""
        sentence = f"Accuracy {new:.4f} is not better{beyond} than {other:.4f} of {comparison.version} on the same samples."
    raise Failure(Exit.NOT_BETTER, "NOT_BETTER", sentence,
                  "Nothing was registered. More samples or another plan may do better; without --require-better it is registered.")
