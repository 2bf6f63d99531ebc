"""A tiny training run from end to end. `python -m unittest training.test_training`."""

import json
import tempfile
import unittest
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import onnx

from training.documents import held_out_document
from training.evaluate import measure, predict, predict_file
from training.export import export_onnx, standardise_in_alphabetical_order, write_version
from training.fit import train
from training.generator import build_factory, draw
from training.network import Network
from training.plans import PLANS, PerceptronHead, Plan, TiedFlowHead
from training.samples.generated import generate
from training.vocabulary import CLASSES, INPUTS, NORMAL, OUTPUT

TINY = replace(PLANS["v2.0"], head=PerceptronHead((16,)), samples=600, epochs=2)
TINY_FLOW = replace(TINY, head=TiedFlowHead(width=24, members=3, training_steps=2, serving_steps=5))


SAMPLES = generate(TINY.samples, TINY.seed)


def quiet(_what: object) -> None:
    pass


def fitted(plan: Plan) -> tuple[Network, dict[str, list[float]]]:
    return train(plan, SAMPLES.training, SAMPLES.validation, quiet)


class GeneratorTest(unittest.TestCase):
    def test_the_same_seed_gives_the_same_records(self) -> None:
        first, again = (draw(build_factory(), 500, 1) for _ in range(2))
        for name in (*INPUTS, "label"):
            np.testing.assert_array_equal(getattr(first, name), getattr(again, name))

    def test_another_seed_gives_other_records(self) -> None:
        self.assertFalse(np.array_equal(draw(build_factory(), 500, 1).sensors, draw(build_factory(), 500, 2).sensors))

    def test_normal_is_the_majority_and_every_failure_occurs(self) -> None:
        share = np.bincount(draw(build_factory(), 20_000, 3).label, minlength=len(CLASSES)) / 20_000
        self.assertAlmostEqual(share[NORMAL], 0.70, delta=0.03)
        self.assertTrue((share[1:] > 0.03).all(), share)

    def test_readings_written_to_json_come_back_as_the_same_float32(self) -> None:
        records = draw(build_factory(), 50, 4)
        document = json.loads(json.dumps(held_out_document(records, 4)))
        back = np.array([sample["sensors"] for sample in document["samples"]], dtype=np.float32)
        np.testing.assert_array_equal(back, records.sensors)


class MeasureTest(unittest.TestCase):
    def test_a_wrong_failure_is_not_a_false_negative(self) -> None:
        label = np.array([0, 0, 0, 0, 1, 1, 2, 2])
        predicted = np.eye(len(CLASSES), dtype=np.float32)[[0, 0, 0, 3, 1, 0, 1, 2]]
        rates = measure(predicted, label)
        self.assertEqual(rates["false_positive_rate"], 0.25)
        self.assertEqual(rates["false_negative_rate"], 0.25)
        self.assertEqual(rates["per_class"]["overheating"], {"precision": 1.0, "recall": 0.5, "support": 2})
        self.assertIsNone(rates["per_class"]["tool_wear"]["recall"])


class TrainingTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)

    def test_the_exported_file_answers_what_the_network_answers(self) -> None:
        records = draw(build_factory(), 64, 5)
        for plan in (TINY, TINY_FLOW):
            with self.subTest(head=plan.head):
                network, _ = fitted(plan)
                path = self.directory / "model.onnx"
                export_onnx(network, path)
                for chunk in (1, 64):
                    answers = predict_file(path, records, chunk)
                    np.testing.assert_allclose(answers, predict(network, records), atol=1e-4)
                    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-5)

    def test_training_twice_gives_the_same_file_with_the_promised_interface(self) -> None:
        for name in ("first", "again"):
            export_onnx(fitted(TINY)[0], self.directory / name)
        self.assertEqual((self.directory / "first").read_bytes(), (self.directory / "again").read_bytes())
        graph = onnx.load(self.directory / "first").graph
        shapes = {value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
                  for value in (*graph.input, *graph.output)}
        self.assertEqual(shapes, {"product": ["batch"], "recipe": ["batch"], "asset": ["batch"],
                                  "sensors": ["batch", 12], OUTPUT: ["batch", 6]})
        self.assertFalse([node.name for node in graph.node if node.metadata_props or node.doc_string])

    def test_a_version_directory_holds_model_metrics_and_golden_samples(self) -> None:
        network, curves = fitted(TINY)
        write_version(self.directory, TINY, network, curves, SAMPLES, datetime(2030, 1, 2, tzinfo=timezone.utc), quiet)
        metrics = json.loads((self.directory / "metrics.json").read_text())
        self.assertEqual(metrics["training_date"], "2030-01-02T00:00:00Z")
        self.assertEqual(metrics["accuracy"], metrics["metrics"]["onnx_accuracy"])
        self.assertEqual(metrics["metrics"]["curves"]["epoch"], [1, 2])
        golden = json.loads((self.directory / "golden.json").read_text())
        self.assertEqual(golden["tolerance"], {"probabilities": {"absolute": 0.02, "relative": 0}})
        self.assertEqual(len(golden["samples"]), 12)
        for sample in golden["samples"]:
            described = [(t["name"], t["datatype"], t["shape"]) for t in (*sample["inputs"], *sample["outputs"])]
            self.assertEqual(described, [("product", "INT64", [1]), ("recipe", "INT64", [1]), ("asset", "INT64", [1]),
                                         ("sensors", "FP32", [1, 12]), (OUTPUT, "FP32", [1, 6])])
            for tensor in (*sample["inputs"], *sample["outputs"]):
                self.assertEqual(len(tensor["data"]), tensor["shape"][-1])

    def test_the_deliberate_mistake_changes_the_answers_and_spares_the_original(self) -> None:
        network, _ = fitted(TINY)
        records = draw(build_factory(), 64, 6)
        before = predict(network, records)
        broken = predict(standardise_in_alphabetical_order(network), records)
        self.assertGreater(np.abs(broken - before).max(), 0.2)
        np.testing.assert_array_equal(predict(network, records), before)


if __name__ == "__main__":
    unittest.main()
