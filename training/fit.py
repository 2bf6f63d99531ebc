"""Fits a network to samples: deterministic by its seed, a report per epoch, and a checkpoint to go on from after a kill."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from training.checkpoint import Checkpoint, Checkpoints, Curves, generators, put_back
from training.evaluate import accuracy, predict
from training.exits import Exit, Failure
from training.generator import Floats, Records
from training.network import Network, TiedFlow
from training.plans import Plan, TiedFlowHead
from training.vocabulary import INPUTS

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Epoch:
    number: int
    of: int
    loss: float  # cross entropy, mean over the epoch
    validation_accuracy: float
    seconds: float

    @property
    def seconds_left(self) -> float:
        return self.seconds * (self.of - self.number)

    def __str__(self) -> str:
        return (f"epoch {self.number:2d}/{self.of}  loss {self.loss:.4f}  validation {self.validation_accuracy:.4f}  "
                f"{self.seconds:.1f} s")


def train(plan: Plan, records: Records, validation: Records, report: Callable[[Epoch], None],
          checkpoints: Checkpoints | None = None, device: torch.device = CPU) -> tuple[Network, Curves]:
    """The fitted network, ready to serve, and its curves per epoch. Raises Failure where the loss is no number."""
    torch.manual_seed(plan.seed)
    torch.use_deterministic_algorithms(True)
    network = Network(plan.head.build(), records.sensors.mean(0), _scale(records)).to(device)
    curves = _fit(network, plan, records, validation, report, checkpoints)
    if isinstance(plan.head, TiedFlowHead) and isinstance(network.head, TiedFlow):
        network.head.steps = plan.head.serving_steps
    return network.cpu().eval(), curves


def _scale(records: Records) -> Floats:
    """A sensor that never moves is only centred."""
    scale = records.sensors.std(0)
    return np.where(scale == 0, np.float32(1), scale)


def _fit(network: Network, plan: Plan, records: Records, validation: Records, report: Callable[[Epoch], None],
         checkpoints: Checkpoints | None) -> Curves:
    """AdamW with a one-cycle learning rate."""
    device = next(network.parameters()).device
    inputs = [torch.from_numpy(getattr(records, name)).to(device) for name in INPUTS]
    label = torch.from_numpy(records.label).to(device)
    order = np.random.default_rng(plan.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    batches = -(-len(records) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.learning_rate, total_steps=batches * plan.epochs)
    curves: Curves = {"epoch": [], "train_loss": [], "validation_accuracy": []}
    done = 0
    if checkpoints is not None and (kept := checkpoints.load()) is not None:
        network.load_state_dict(kept.network)
        optimiser.load_state_dict(kept.optimiser)
        schedule.load_state_dict(kept.schedule)
        order.bit_generator.state = kept.order
        put_back(kept)
        curves, done = kept.curves, kept.epoch

    for epoch in range(done + 1, plan.epochs + 1):
        started, total = time.monotonic(), 0.0
        network.train()
        for part in np.array_split(order.permutation(len(records)), batches):
            index = torch.from_numpy(part).to(device)
            loss = cross_entropy(network.logits(*(column[index] for column in inputs)), label[index])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it without types
            optimiser.step()
            schedule.step()
            total += loss.item() * len(index)
        if not math.isfinite(total):
            raise Failure(Exit.TRAINING, "LOSS_NOT_FINITE", f"The loss of epoch {epoch} is not a number.",
                          "Lower the learning rate, or look for readings that are far outside.")
        curves["epoch"].append(epoch)
        curves["train_loss"].append(round(total / len(records), 4))
        curves["validation_accuracy"].append(accuracy(predict(network, validation), validation.label))
        if checkpoints is not None:
            state = Checkpoint(epoch, curves, network.state_dict(), optimiser.state_dict(), schedule.state_dict(),
                               dict(order.bit_generator.state), *generators(device))
            checkpoints.save(state, is_last=epoch == plan.epochs)
        report(Epoch(epoch, plan.epochs, curves["train_loss"][-1], curves["validation_accuracy"][-1],
                     time.monotonic() - started))
    return curves
