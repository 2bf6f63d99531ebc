"""The JSON the demo reads: golden samples (Open Inference Protocol v2 tensors) and the held-out set."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluate import predict
from training.generator import Records
from training.network import Network
from training.vocabulary import CLASSES, CONTEXT_INPUTS, INPUTS, OUTPUT, SENSORS

Document = dict[str, Any]

GOLDEN_PER_CLASS = 2
GOLDEN_TOLERANCE = {OUTPUT: {"absolute": 0.02, "relative": 0}}  # room for another runtime's arithmetic, no more


def golden_document(network: Network, records: Records) -> Document:
    """Of `records` the first two of each true class, and what the in-memory network answers to each (batch 1)."""
    chosen = np.concatenate([np.flatnonzero(records.label == i)[:GOLDEN_PER_CLASS] for i in range(len(CLASSES))])
    records = records.take(chosen)
    answers = predict(network, records)
    return {
        "tolerance": GOLDEN_TOLERANCE,
        "samples": [
            {
                "inputs": [input_tensor(records, i, name) for name in INPUTS],
                "outputs": [{"name": OUTPUT, "datatype": "FP32", "shape": [1, len(CLASSES)],
                             "data": [round(float(p), 6) for p in answers[i]]}],
            }
            for i in range(len(records))
        ],
    }


def input_tensor(records: Records, i: int, name: str) -> Document:
    """One record's input as an Open Inference Protocol v2 tensor of batch 1."""
    if name in CONTEXT_INPUTS:
        return {"name": name, "datatype": "INT64", "shape": [1], "data": [int(getattr(records, name)[i])]}
    return {"name": name, "datatype": "FP32", "shape": [1, len(SENSORS)], "data": readings(records, i)}


def readings(records: Records, i: int) -> list[float]:
    """Record i's sensors as the instrument shows them; reading them back as float32 gives the same bits."""
    return [round(float(value), sensor.decimals) for value, sensor in zip(records.sensors[i], SENSORS)]


def held_out_document(records: Records, seed: int) -> Document:
    """Labelled records for the demo's fleet; label is an index into `classes`."""
    return {
        "description": "Synthetic, labelled machine records that no model was trained on. "
                       "They say nothing about real factories.",
        "seed": seed,
        "classes": list(CLASSES),
        "sensors": [{"name": sensor.name, "unit": sensor.unit} for sensor in SENSORS],
        "samples": [
            {**{name: int(getattr(records, name)[i]) for name in CONTEXT_INPUTS},
             "sensors": readings(records, i), "label": int(records.label[i])}
            for i in range(len(records))
        ],
    }


def write_json(path: Path, document: Document, one_per_line: str | None = None) -> None:
    """Compact JSON, one top-level key per line; the list under `one_per_line` gets a line per item."""
    def compact(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def render(key: str, value: Any) -> str:
        body = "[\n" + ",\n".join(map(compact, value)) + "\n]" if key == one_per_line else compact(value)
        return f"{compact(key)}:{body}"

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(render(*item) for item in document.items()) + "\n}\n", encoding="utf-8")
