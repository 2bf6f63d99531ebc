"""Samples of the synthetic factory: for a first try, for tests, and for the demo's models."""

from training.generator import build_factory, draw
from training.plans import (
    GOLDEN_SAMPLES,
    GOLDEN_SEED,
    HELD_OUT_SAMPLES,
    HELD_OUT_SEED,
    VALIDATION_SAMPLES,
    VALIDATION_SEED,
)
from training.samples.sets import Samples


def generate(count: int, seed: int) -> Samples:
    """`count` to learn from; the other three draws are always the same ones, which no version learns from."""
    factory = build_factory()
    return Samples(
        training=draw(factory, count, seed),
        validation=draw(factory, VALIDATION_SAMPLES, VALIDATION_SEED),
        held_out=draw(factory, HELD_OUT_SAMPLES, HELD_OUT_SEED),
        golden=draw(factory, GOLDEN_SAMPLES, GOLDEN_SEED),
        source=f"the generator, seed {seed}",
    )
