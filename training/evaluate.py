"""Measures of a classifier on labelled records: accuracy, error rates, per-class figures, confusion."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from training.generator import Floats, Ints, Records
from training.network import Network
from training.vocabulary import CLASSES, INPUTS, NORMAL, OUTPUT


def predict(network: Network, records: Records, chunk: int = 256) -> Floats:
    """Probabilities float32 [n, 6] of the in-memory network, wherever it lies."""
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(records), chunk):
            part = records.take(slice(start, start + chunk))
            parts.append(network(*(torch.from_numpy(getattr(part, name)).to(device) for name in INPUTS)).cpu().numpy())
    return np.concatenate(parts)


def predict_file(path: Path, records: Records, chunk: int = 256) -> Floats:
    """Probabilities float32 [n, 6] of an exported file, under onnxruntime on the CPU."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    parts = []
    for start in range(0, len(records), chunk):
        part = records.take(slice(start, start + chunk))
        parts.append(session.run([OUTPUT], {name: getattr(part, name) for name in INPUTS})[0])
    return np.concatenate(parts)


def accuracy(probabilities: Floats, label: Ints) -> float:
    """Share of records whose most probable class is the true one, 0..1."""
    return round(float((probabilities.argmax(1) == label).mean()), 4)


def confusion(probabilities: Floats, label: Ints) -> Ints:
    """Counts int [6, 6]: row = true class, column = predicted class."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    np.add.at(counts, (label, probabilities.argmax(1)), 1)
    return counts


def measure(probabilities: Floats, label: Ints) -> dict[str, Any]:
    """Rates are fractions 0..1. Positive = any class but normal.

    false_positive_rate: share of true normal predicted as any failure.
    false_negative_rate: share of true failures predicted as normal (a wrong failure is not a false negative).
    """
    counts = confusion(probabilities, label)
    healthy = counts[NORMAL]
    failing = np.delete(counts, NORMAL, axis=0)
    return {
        "false_positive_rate": ratio(healthy.sum() - healthy[NORMAL], healthy.sum()),
        "false_negative_rate": ratio(failing[:, NORMAL].sum(), failing.sum()),
        "per_class": {
            name: {
                "precision": ratio(counts[i, i], counts[:, i].sum()),
                "recall": ratio(counts[i, i], counts[i].sum()),
                "support": int(counts[i].sum()),
            }
            for i, name in enumerate(CLASSES)
        },
        "confusion": counts.tolist(),
        "classes": list(CLASSES),
    }


def ratio(part: int, whole: int) -> float | None:
    """A fraction to four decimals; None when there is nothing to divide by."""
    return round(float(part) / float(whole), 4) if whole else None
