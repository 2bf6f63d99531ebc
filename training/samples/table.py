"""Rows from several places joined by id, checked one by one, and put in an order that does not depend on where they came from."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from training.exits import Exit, Failure
from training.generator import Records
from training.vocabulary import ASSETS, CLASSES, PRODUCTS, RECIPES, SENSORS

MOST_BAD_SHARE = 0.01
LIMITS = {"product": PRODUCTS, "recipe": RECIPES, "asset": ASSETS}

Reading = tuple[int, int, int, tuple[float, ...]]


@dataclass
class Row:
    reading: Reading | None = None
    label: int | None = None


@dataclass
class Table:
    """`add` what each place knows of a sample; where two speak of the same, the later word counts."""

    rows: dict[str, Row] = field(default_factory=dict)
    seen: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, fields: dict[str, Any], where: str) -> None:
        """`where` names the row for whoever has to mend it."""
        self.seen += 1
        try:
            name, reading, label = _name(fields), _reading(fields), _label(fields)
        except ValueError as error:
            self.refuse(str(error), where)
            return
        row = self.rows.setdefault(name, Row())
        row.reading = reading or row.reading
        row.label = row.label if label is None else label

    def refuse(self, why: str, where: str) -> None:
        self.bad[why] += 1
        self.examples.setdefault(why, where)

    def complete(self) -> list[str]:
        """Ids with both a reading and a label, in order. Raises Failure where too many rows are bad."""
        bad = self.bad.total()
        if bad > MOST_BAD_SHARE * self.seen:
            why = "; ".join(f"{count} × {reason} (such as {self.examples[reason]})" for reason, count in self.bad.most_common(3))
            raise Failure(Exit.DATA, "SAMPLES_BAD", f"{bad} of {self.seen} rows are bad: {why}.",
                          "Mend or remove them; training/schema.sql says what a row must be.")
        return sorted(name for name, row in self.rows.items() if row.reading is not None and row.label is not None)

    def records(self, names: Iterable[str]) -> Records:
        rows = [self.rows[name] for name in names]
        readings = [row.reading for row in rows if row.reading is not None]
        context = np.array([reading[:3] for reading in readings], dtype=np.int64).reshape(-1, 3)
        return Records(
            product=context[:, 0], recipe=context[:, 1], asset=context[:, 2],
            sensors=np.array([reading[3] for reading in readings], dtype=np.float32).reshape(-1, len(SENSORS)),
            label=np.array([row.label for row in rows], dtype=np.int64),
        )


def _name(fields: dict[str, Any]) -> str:
    name = fields.get("id")
    if isinstance(name, str) and name:
        return name
    raise ValueError("no id")


def _reading(fields: dict[str, Any]) -> Reading | None:
    if all(fields.get(name) is None for name in (*LIMITS, "sensors")):
        return None
    product, recipe, asset = (_index(fields, name) for name in LIMITS)
    sensors = fields.get("sensors")
    if not isinstance(sensors, list) or len(sensors) != len(SENSORS):
        raise ValueError(f"sensors are not {len(SENSORS)}")
    if not all(type(value) in (int, float) and np.isfinite(np.float32(value)) for value in sensors):
        raise ValueError("a sensor is not a number")
    return product, recipe, asset, tuple(float(value) for value in sensors)


def _index(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is int and 0 <= value < LIMITS[name]:  # not isinstance: true is an int
        return value
    raise ValueError(f"{name} is not 0 to {LIMITS[name] - 1}")


def _label(fields: dict[str, Any]) -> int | None:
    label = fields.get("label")
    if label is None:
        return None
    if label not in CLASSES:
        raise ValueError(f"label is none of {', '.join(CLASSES)}")
    return CLASSES.index(label)
