"""A run that is interrupted ends with the same file, to the bit; what does not belong to it is not gone on with."""

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from training.checkpoint import Checkpoints
from training.exits import Exit, Failure
from training.export import export_onnx
from training.fit import Epoch, train
from training.network import Network
from training.plans import PLANS, PerceptronHead, Plan, TiedFlowHead
from training.samples.generated import generate
from training.work import Record, Work

# Dropout, so that PyTorch's own chance has to be taken up again as well as the order of the samples.
PLAN = replace(PLANS["v2.1"], head=PerceptronHead((16,), 0.2), samples=700, epochs=4)
SAMPLES = generate(PLAN.samples, PLAN.seed)


class Killed(Exception):
    pass


class GoingOnTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)
        self.said: list[str] = []

    def checkpoints(self, every: int = 1, key: str = "this run") -> Checkpoints:
        return Checkpoints(self.directory / "checkpoint.pt", key, every, self.said.append)

    def fitted(self, plan: Plan, checkpoints: Checkpoints | None, killed_after: int = 0) -> tuple[Network, list[int]]:
        """The network, and which epochs were trained for it."""
        epochs: list[int] = []

        def report(epoch: Epoch) -> None:
            epochs.append(epoch.number)
            if epoch.number == killed_after:
                raise Killed

        return train(plan, SAMPLES.training, SAMPLES.validation, report, checkpoints)[0], epochs

    def exported(self, network: Network) -> bytes:
        export_onnx(network, self.directory / "model.onnx")
        return (self.directory / "model.onnx").read_bytes()

    def test_a_killed_run_goes_on_after_its_last_checkpoint_and_ends_with_the_same_bytes(self) -> None:
        for head in (PLAN.head, TiedFlowHead(width=16, members=2, training_steps=2, serving_steps=3)):
            for every, first_again in ((1, 4), (2, 3)):
                with self.subTest(head=head, every=every):
                    plan = replace(PLAN, head=head)
                    (self.directory / "checkpoint.pt").unlink(missing_ok=True)
                    with self.assertRaises(Killed):
                        self.fitted(plan, self.checkpoints(every), killed_after=3)
                    network, epochs = self.fitted(plan, self.checkpoints(every))
                    self.assertEqual(epochs, list(range(first_again, 5)))
                    self.assertEqual(self.exported(network), self.exported(self.fitted(plan, None)[0]))
        self.assertEqual(self.said, [])

    def test_a_run_killed_after_its_last_epoch_trains_nothing_again(self) -> None:
        whole, _ = self.fitted(PLAN, self.checkpoints(every=3))
        again, epochs = self.fitted(PLAN, self.checkpoints(every=3))
        self.assertEqual(epochs, [])
        self.assertEqual(self.exported(again), self.exported(whole))

    def test_a_checkpoint_of_other_samples_or_a_damaged_one_is_set_aside_and_said(self) -> None:
        self.fitted(PLAN, self.checkpoints())
        _, epochs = self.fitted(PLAN, self.checkpoints(key="another run"))
        self.assertEqual(epochs, [1, 2, 3, 4])
        self.assertIn("belongs to other samples", self.said[0])
        path = self.directory / "checkpoint.pt"
        path.write_bytes(path.read_bytes()[:1000])
        _, epochs = self.fitted(PLAN, self.checkpoints(key="another run"))
        self.assertEqual(epochs, [1, 2, 3, 4])
        self.assertIn("cannot be read", self.said[1])

    def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_checkpoint_before_it(self) -> None:
        with self.assertRaises(Failure) as caught:
            self.fitted(replace(PLAN, learning_rate=1e30), self.checkpoints())
        self.assertEqual((caught.exception.exit, caught.exception.code), (Exit.TRAINING, "LOSS_NOT_FINITE"))

    def test_a_sensor_that_never_moves_does_no_harm(self) -> None:
        SAMPLES.training.sensors[:, 4], before = 68.0, SAMPLES.training.sensors[:, 4].copy()
        self.addCleanup(SAMPLES.training.sensors.__setitem__, (slice(None), 4), before)
        self.assertEqual(self.fitted(PLAN, None)[1], [1, 2, 3, 4])


class WorkTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.work = Work(Path(scratch.name) / "work")

    def end(self, version: str) -> None:
        self.work.begin()
        (self.work.run / "samples.npz").write_bytes(b"large")
        self.work.end(Record(version, "recipe", "asked", "2030-01-01T00:00:00.000Z", outcome="registered"))

    def test_a_second_run_in_the_same_directory_is_turned_away_until_the_first_has_ended(self) -> None:
        with self.work.locked(), self.assertRaises(Failure) as caught, self.work.locked():
            pass
        self.assertEqual(caught.exception.exit, Exit.BUSY)
        with self.work.locked():
            pass

    def test_only_the_newest_runs_are_kept_and_no_samples_of_them(self) -> None:
        for number in range(8):
            self.end(f"v{number}")
        self.assertEqual({record.version for record in self.work.ended()}, {"v3", "v4", "v5", "v6", "v7"})
        self.assertFalse(list(self.work.directory.rglob("samples.npz")))
        self.assertIsNone(self.work.unfinished())

    def test_a_record_that_is_damaged_or_of_another_release_is_no_unfinished_run(self) -> None:
        self.work.begin()
        for text in ("{", "[]", '{"version": "v1", "colour": "blue"}'):
            (self.work.run / "record.json").write_text(text)
            self.assertIsNone(self.work.unfinished())
