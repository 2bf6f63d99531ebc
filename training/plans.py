"""What each demo version is: how much data, which network, how long, and what is wrong with it on purpose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from training.network import Perceptron, TiedFlow

# Seeds of draws no model is ever trained on. Training draws use the plan's own seed.
HELD_OUT_SEED, HELD_OUT_SAMPLES = 900_005, 10_000
GOLDEN_SEED, GOLDEN_SAMPLES = 900_002, 600
VALIDATION_SEED, VALIDATION_SAMPLES = 900_003, 4_000


@dataclass(frozen=True)
class PerceptronHead:
    hidden: tuple[int, ...]
    dropout: float = 0.0

    def build(self) -> Perceptron:
        from training.network import Perceptron  # here, so that --help does not wait for PyTorch
        return Perceptron(self.hidden, self.dropout)


@dataclass(frozen=True)
class TiedFlowHead:
    """`training_steps` while learning, `serving_steps` in the measured and exported network."""

    width: int
    members: int
    training_steps: int
    serving_steps: int

    def build(self) -> TiedFlow:
        from training.network import TiedFlow
        return TiedFlow(self.width, self.members, self.training_steps)


@dataclass(frozen=True)
class Plan:
    version_id: str
    note: str
    head: PerceptronHead | TiedFlowHead
    samples: int
    epochs: int
    seed: int
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    batch: int = 256
    mistake: Literal["none", "alphabetical-standardisation"] = "none"


BETTER = Plan("v2.1", "more data, a wider network, regularised", PerceptronHead((256, 128), 0.1), 48_000, 24, 21)

PLANS = {plan.version_id: plan for plan in (
    Plan("v2.0", "the baseline the fleet runs today", PerceptronHead((128, 64)), 10_000, 12, 20),
    BETTER,
    Plan("v2.2", "as accurate as v2.1 and far too slow: the latency gate must stop it",
         TiedFlowHead(512, 16, 4, 192), 48_000, 12, 22, learning_rate=1e-3),
    replace(BETTER, version_id="v2.3", seed=23, mistake="alphabetical-standardisation",
            note="good on paper; its file is exported wrong on purpose: golden samples must stop it"),
    replace(BETTER, version_id="v2.4", seed=24, samples=50_000,
            note="an ordinary good model; the demo damages the hub's copy after registering it"),
)}
