"""Settings: what outranks what, what is refused by name, and that --help and the docs tell all of it."""

import json
import re
import tempfile
import unittest
from pathlib import Path

from training.exits import MEANING, Exit, Failure
from training.options import OPTIONS
from training.settings import MOST_EPOCHS, Settings, read_settings

ENOUGH = {"CONTEXT_EDGE_URL": "http://hub:8000", "CONTEXT_EDGE_RELEASE_KEY_FILE": "/keys/release.key.pem"}
DOCS = Path(__file__).parent.parent / "docs" / "training.md"


def read(*arguments: str, **environment: str) -> Settings:
    return read_settings(arguments, ENOUGH | environment)


class SettingsTest(unittest.TestCase):
    def refused(self, *arguments: str, **environment: str) -> str:
        with self.assertRaises(Failure) as caught:
            read(*arguments, **environment)
        self.assertEqual(caught.exception.exit, Exit.USAGE)
        return caught.exception.sentence

    def test_a_flag_outranks_the_environment_which_outranks_the_default(self) -> None:
        self.assertEqual(read().plan.epochs, 24)
        self.assertEqual(read(TRAINING_EPOCHS="7").plan.epochs, 7)
        self.assertEqual(read("--epochs", "3", TRAINING_EPOCHS="7").plan.epochs, 3)

    def test_an_empty_variable_is_an_unset_one(self) -> None:
        settings = read(TRAINING_EPOCHS="", TRAINING_S3="", TRAINING_REQUIRE_BETTER="")
        self.assertEqual((settings.plan.epochs, settings.samples.s3, settings.require_better), (24, None, False))

    def test_every_setting_that_makes_no_sense_is_refused_by_its_name(self) -> None:
        for name, value in {
            "CONTEXT_EDGE_URL": "hub:8000", "TRAINING_EPOCHS": "0", "TRAINING_LEARNING_RATE": "fast", "TRAINING_DROPOUT": "1",
            "TRAINING_HIDDEN": "64,", "TRAINING_VERSION": "../v1", "TRAINING_MODEL": ".agent", "TRAINING_DEVICE": "tpu",
            "TRAINING_S3": "bucket/prefix", "TRAINING_TABLE": "samples; drop table samples", "TRAINING_HELD_OUT_SHARE": "nan",
            "TRAINING_REQUIRE_BETTER": "perhaps", "TRAINING_MARGIN": "2", "CONTEXT_EDGE_TOKEN_FILE": "/nowhere",
        }.items():
            with self.subTest(name):
                self.assertIn(name, self.refused(**{name: value}))

    def test_no_more_epochs_are_begun_than_a_hub_takes_the_curves_of(self) -> None:
        self.assertEqual(read(TRAINING_EPOCHS=str(MOST_EPOCHS)).plan.epochs, MOST_EPOCHS)
        self.assertIn("TRAINING_EPOCHS", self.refused(TRAINING_EPOCHS=str(MOST_EPOCHS + 1)))
        protocol = (Path(__file__).parent.parent / "protocol" / "mlops.ts").read_text(encoding="utf-8")
        found = re.search(r"METRICS_LONGEST = ([\d_]+);", protocol)
        longest = {"epoch": list(range(1, MOST_EPOCHS + 1)), "train_loss": [0.1234] * MOST_EPOCHS,
                   "validation_accuracy": [0.9999] * MOST_EPOCHS}
        self.assertLess(len(json.dumps(longest, separators=(",", ":"))), int(found[1] if found else 0) - 15_000)  # room for the other figures

    def test_a_password_in_an_address_is_not_repeated_when_the_address_is_refused(self) -> None:
        self.assertNotIn("hunter2", self.refused(TRAINING_DATABASE_URL="mysql://me:hunter2@db/samples"))

    def test_a_hub_needs_a_key_and_without_a_hub_neither_is_needed(self) -> None:
        self.assertIn("CONTEXT_EDGE_RELEASE_KEY_FILE", self.refused(CONTEXT_EDGE_RELEASE_KEY_FILE=""))
        self.assertIn("--no-hub", self.refused(CONTEXT_EDGE_URL=""))
        alone = read_settings(["--no-hub"], {})
        self.assertEqual((alone.hub, alone.key_file), (None, None))

    def test_a_token_comes_from_its_file_or_from_the_environment_and_from_no_flag(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write("cet_of-the-file\n")
            file.flush()
            hub = read(CONTEXT_EDGE_TOKEN="cet_other", CONTEXT_EDGE_TOKEN_FILE=file.name).hub
        self.assertEqual(hub and hub.token, "cet_of-the-file")
        self.assertIn("unrecognized arguments", self.refused("--token", "cet_x"))
        self.assertNotIn("--database", {option.flag for option in OPTIONS})

    def test_a_bucket_has_a_prefix_or_none(self) -> None:
        self.assertEqual(read(TRAINING_S3="s3://bucket/a/b").samples.s3, ("bucket", "a/b"))
        self.assertEqual(read(TRAINING_S3="s3://bucket").samples.s3, ("bucket", ""))

    def test_the_docs_have_every_setting_with_its_default_and_every_exit_code(self) -> None:
        rows = {cells[1]: cells for line in DOCS.read_text(encoding="utf-8").splitlines()
                if len(cells := [cell.strip().strip("`") for cell in line.strip("|").split("|")]) == 4}
        for option in OPTIONS:
            with self.subTest(option.env):
                self.assertEqual(rows.get(option.env), [option.flag or "–", option.env, option.default, option.meaning])
        text = re.sub(r" +", " ", DOCS.read_text(encoding="utf-8"))
        for code, meaning in MEANING.items():
            self.assertIn(f"| {int(code)} | {meaning} |", text)
