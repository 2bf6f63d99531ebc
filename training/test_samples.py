"""Samples from elsewhere: joined, checked, split the same way for ever, and kept for a run that goes on."""

import gzip
import io
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np

from training.documents import readings
from training.exits import Exit, Failure
from training.generator import build_factory, draw
from training.progress import Progress
from training.samples.generated import generate
from training.samples.load import _split
from training.samples.s3 import _add_lines
from training.samples.sets import Samples, kept_samples
from training.samples.table import Table
from training.settings import SampleSettings
from training.vocabulary import CLASSES

RECORDS = draw(build_factory(), 400, 31)
SETTINGS = SampleSettings(database=None, table="t", s3=None, generated=1, minimum=100, held_out_share=0.2, patience_s=0)
NOBODY = Progress(out=io.StringIO(), err=io.StringIO())


def row(index: int, **instead: Any) -> dict[str, Any]:
    return {"id": f"sample-{index}", "product": int(RECORDS.product[index]), "recipe": int(RECORDS.recipe[index]),
            "asset": int(RECORDS.asset[index]), "sensors": readings(RECORDS, index),
            "label": CLASSES[RECORDS.label[index]]} | instead


def table_of(*rows: dict[str, Any]) -> Table:
    table = Table()
    for number, fields in enumerate(rows):
        table.add(fields, f"row {number}")
    return table


def split(table: Table) -> Samples:
    return _split(table, SETTINGS, "a test", NOBODY)


class TableTest(unittest.TestCase):
    def test_readings_come_back_to_the_bit_whatever_their_order(self) -> None:
        forwards, backwards = (table_of(*(row(index) for index in order)) for order in (range(50), reversed(range(50))))
        names = forwards.complete()
        self.assertEqual(names, backwards.complete())
        order = [int(name.removeprefix("sample-")) for name in names]
        for table in (forwards, backwards):
            np.testing.assert_array_equal(table.records(names).sensors, RECORDS.sensors[order])
            np.testing.assert_array_equal(table.records(names).label, RECORDS.label[order])

    def test_a_reading_in_one_place_and_its_label_in_another_make_a_sample_and_the_later_label_counts(self) -> None:
        nothing = {"product": None, "recipe": None, "asset": None, "sensors": None}
        table = table_of(row(0, label="tool_wear"), row(1, label=None), row(0, label="normal", **nothing))
        self.assertEqual(table.complete(), ["sample-0"])
        records = table.records(["sample-0"])
        self.assertEqual([CLASSES[label] for label in records.label], ["normal"])
        np.testing.assert_array_equal(records.sensors, RECORDS.sensors[:1])

    def test_each_way_a_row_can_be_bad_is_refused_with_its_reason(self) -> None:
        for reason, bad in {
            "no id": row(0, id=""), "product is not": row(0, product=100), "recipe is not": row(0, recipe=-1),
            "asset is not": row(0, asset=True), "sensors are not 12": row(0, sensors=[1.0]), "label is none": row(0, label="fine"),
            "a sensor is not a number": row(0, sensors=[float("nan")] * 12),
        }.items():
            with self.subTest(reason), self.assertRaises(Failure) as caught:
                table_of(bad).complete()
            self.assertEqual(caught.exception.code, "SAMPLES_BAD")
            self.assertIn(reason, caught.exception.sentence)
            self.assertIn("row 0", caught.exception.sentence)

    def test_a_bad_row_among_many_good_ones_is_left_out(self) -> None:
        table = table_of(*(row(index) for index in range(200)), row(0, id="bad", asset=999))
        self.assertEqual(len(table.complete()), 200)

    def test_lines_of_s3_are_read_packed_or_not_and_a_broken_object_is_named(self) -> None:
        lines = b'\n{"id":"a","label":"normal"}\n["no object"]\nno json\n'
        for body in (io.BytesIO(lines), gzip.open(io.BytesIO(gzip.compress(lines)))):
            table = Table()
            _add_lines(table, body, "s3://b/k")
            self.assertEqual((list(table.rows), table.seen, table.bad["not a JSON object"]), (["a"], 3, 2))
            self.assertEqual(table.examples["not a JSON object"], "s3://b/k line 3")
        with self.assertRaises(Failure) as caught:
            _add_lines(Table(), gzip.open(io.BytesIO(gzip.compress(lines)[:-9])), "s3://b/k.gz")
        self.assertIn("s3://b/k.gz", caught.exception.sentence)


class SplitTest(unittest.TestCase):
    def test_what_was_held_out_stays_held_out_when_samples_are_added(self) -> None:
        before, after = split(table_of(*map(row, range(200)))), split(table_of(*map(row, range(400))))
        self.assertAlmostEqual(len(after.held_out) / 400, 0.2, delta=0.06)
        self.assertGreater(len(after.held_out), len(before.held_out))
        kept = {tuple(sensors) for sensors in after.held_out.sensors}
        self.assertTrue(all(tuple(sensors) in kept for sensors in before.held_out.sensors))
        learnt = {tuple(sensors) for part in (after.training, after.validation) for sensors in part.sensors}
        self.assertFalse(learnt & kept)
        self.assertEqual(len(after.training) + len(after.validation) + len(after.held_out), 400)

    def test_too_few_samples_are_a_failure_of_the_data(self) -> None:
        with self.assertRaises(Failure) as caught:
            split(table_of(*map(row, range(99))))
        self.assertEqual((caught.exception.exit, caught.exception.code), (Exit.DATA, "SAMPLES_TOO_FEW"))


class KeptTest(unittest.TestCase):
    def test_kept_samples_are_the_same_and_another_value_is_another_fingerprint(self) -> None:
        samples = generate(300, 5)
        with tempfile.TemporaryDirectory() as scratch:
            samples.keep(Path(scratch) / "samples.npz")
            again = kept_samples(Path(scratch) / "samples.npz")
        self.assertEqual(again.fingerprint(), samples.fingerprint())
        self.assertEqual(again.source, samples.source)
        again.training.sensors[7, 3] += 1
        self.assertNotEqual(again.fingerprint(), samples.fingerprint())
