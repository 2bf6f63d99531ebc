"""The verdict beside the running version: on the same samples, and never a pass for what could not be measured."""

import hashlib
import io
import tempfile
import unittest
from pathlib import Path

import httpx
import onnx
from onnx import TensorProto, helper

from training.compare import Comparison, compare, require_better, version_to_compare_with
from training.exits import Exit, Failure
from training.export import export_onnx
from training.fit import train
from training.generator import build_factory, draw
from training.hub.client import connect
from training.progress import Progress
from training.samples.generated import generate
from training.test_training import TINY
from training.evaluate import accuracy, predict

HELD_OUT = draw(build_factory(), 200, 8)


def serving(content: bytes | None) -> httpx.MockTransport:
    def answer(_request: httpx.Request) -> httpx.Response:
        missing = httpx.Response(422, json={"code": "ARTIFACT_MISSING", "detail": "rotten", "next_step": ""})
        return missing if content is None else httpx.Response(200, content=content)

    return httpx.MockTransport(answer)


class CompareTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)

    def compared(self, content: bytes | None, file_format: str = "onnx") -> Comparison:
        digest = hashlib.sha256(content or b"").hexdigest()
        version = {"version_id": "v1", "variants": [{"format": file_format, "digest": digest}]}
        hub = connect("http://hub.test", None, 0, Progress(out=io.StringIO()), serving(content))
        return compare(hub, version, HELD_OUT, self.directory / "cache")

    def test_the_running_file_is_measured_on_this_runs_own_held_out_samples(self) -> None:
        samples = generate(TINY.samples, TINY.seed)
        network, _ = train(TINY, samples.training, samples.validation, lambda _epoch: None)
        export_onnx(network, self.directory / "model.onnx")
        comparison = self.compared((self.directory / "model.onnx").read_bytes())
        assert comparison.figures is not None
        self.assertEqual(comparison.figures["accuracy"], accuracy(predict(network, HELD_OUT), HELD_OUT.label))
        self.assertEqual(sum(map(sum, comparison.figures["confusion"])), 200)
        self.assertEqual(comparison.document(200)["version_id"], "v1")

    def test_what_cannot_be_measured_here_says_why(self) -> None:
        square = helper.make_graph(
            [helper.make_node("Mul", ["x", "x"], ["y"])], "square",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
        other = helper.make_model(square, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        onnx.checker.check_model(other)
        for content, file_format, why in ((b"ftrt", "trt", "no ONNX file"), (None, "onnx", "lost its file"),
                                          (b"not a model", "onnx", "cannot load"), (other.SerializeToString(), "onnx", "asks for x")):
            with self.subTest(why):
                comparison = self.compared(content, file_format)
                self.assertIsNone(comparison.figures)
                self.assertIn(why, comparison.why)
                self.assertIn(why, comparison.document(200)["not_comparable"])

    def test_only_more_than_the_margin_is_better_and_not_comparable_is_not_better(self) -> None:
        running = Comparison("v1", {"accuracy": 0.90})
        require_better(0.9001, running, 0)
        require_better(0.93, running, 0.02)
        for new, other, margin in ((0.90, running, 0), (0.89, running, 0), (0.92, running, 0.02), (1, Comparison("v1", None, "x"), 0)):
            with self.subTest(new=new, margin=margin), self.assertRaises(Failure) as caught:
                require_better(new, other, margin)
            self.assertEqual(caught.exception.exit, Exit.NOT_BETTER)

    def test_a_version_may_be_named_or_waived(self) -> None:
        versions = [{"version_id": name, "running_on": count, "stage": "approved"} for name, count in (("v1", 3), ("v2", 0))]
        for wish, expected in (("auto", "v1"), ("v2", "v2"), ("none", None)):
            found = version_to_compare_with(versions, wish)
            self.assertEqual(found and found["version_id"], expected)
        with self.assertRaises(Failure):
            version_to_compare_with(versions, "v9")


