"""The files in demo/models keep what they promise, under onnxruntime. `python -m unittest training.test_demo_models`."""

import json
import unittest
from typing import Any

import numpy as np
import onnx

from training.evaluate import accuracy, predict_file
from training.export import OPSET
from training.generator import Records
from training.make_demo_models import DEMO_MODELS, HELD_OUT_IN_FILE
from training.plans import PLANS
from training.vocabulary import CLASSES, CONTEXT_INPUTS, INPUTS

SOUND = ("v2.0", "v2.1", "v2.2", "v2.4")
WRONG_ON_PURPOSE = "v2.3"


def read(*names: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DEMO_MODELS.joinpath(*names).read_text(encoding="utf-8"))
    return document


def held_out() -> Records:
    """The labelled records exactly as a reader of held-out.json sees them."""
    samples = read("held-out.json")["samples"]
    columns = {name: np.array([sample[name] for sample in samples], dtype=np.int64) for name in (*CONTEXT_INPUTS, "label")}
    return Records(**columns, sensors=np.array([sample["sensors"] for sample in samples], dtype=np.float32))


def golden_distances(version: str) -> list[float]:
    """Largest absolute difference in probability, per golden sample, between file and promise."""
    distances = []
    for sample in read(version, "golden.json")["samples"]:
        given = dict(zip(INPUTS, (tensor["data"] for tensor in sample["inputs"])))
        record = Records(**{name: np.array(given[name], dtype=np.int64) for name in CONTEXT_INPUTS},
                         sensors=np.array([given["sensors"]], dtype=np.float32), label=np.zeros(1, dtype=np.int64))
        answer = predict_file(DEMO_MODELS / version / "model.onnx", record)[0]
        distances.append(float(np.abs(answer - sample["outputs"][0]["data"]).max()))
    return distances


class DemoModelsTest(unittest.TestCase):
    def test_the_held_out_file_has_every_class(self) -> None:
        records = held_out()
        self.assertEqual(len(records), HELD_OUT_IN_FILE)
        self.assertEqual(sorted(set(records.label)), list(range(len(CLASSES))))
        self.assertLess((DEMO_MODELS / "held-out.json").stat().st_size, 300_000)

    def test_sound_versions_score_what_their_metrics_say(self) -> None:
        records = held_out()
        for version in SOUND:
            with self.subTest(version):
                measured = accuracy(predict_file(DEMO_MODELS / version / "model.onnx", records), records.label)
                self.assertAlmostEqual(measured, read(version, "metrics.json")["accuracy"], delta=0.02)

    def test_sound_versions_answer_their_golden_samples(self) -> None:
        for version in SOUND:
            with self.subTest(version):
                self.assertLess(max(golden_distances(version)), 0.001)

    def test_the_version_exported_wrong_fails_its_golden_samples_and_its_metrics(self) -> None:
        far = [distance for distance in golden_distances(WRONG_ON_PURPOSE) if distance > 0.2]
        self.assertGreaterEqual(len(far), 8)
        records = held_out()
        measured = accuracy(predict_file(DEMO_MODELS / WRONG_ON_PURPOSE / "model.onnx", records), records.label)
        self.assertLess(measured, read(WRONG_ON_PURPOSE, "metrics.json")["accuracy"] - 0.2)
        self.assertNotIn("onnx_accuracy", read(WRONG_ON_PURPOSE, "metrics.json")["metrics"])

    def test_files_are_small_single_and_of_a_readable_opset(self) -> None:
        for version in PLANS:
            with self.subTest(version):
                path = DEMO_MODELS / version / "model.onnx"
                self.assertLess(path.stat().st_size, 1_500_000)
                model = onnx.load(path, load_external_data=False)
                self.assertEqual([(entry.domain, entry.version) for entry in model.opset_import], [("", OPSET)])
                self.assertFalse([tensor.name for tensor in model.graph.initializer if tensor.external_data])


if __name__ == "__main__":
    unittest.main()
