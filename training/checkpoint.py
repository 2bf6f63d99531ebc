"""Checkpoints: all that a run needs to go on after a kill as if nothing had happened, in one file that is always whole."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.durable import write_through

Curves = dict[str, list[float]]


@dataclass(frozen=True)
class Checkpoint:
    """After `epoch`. The states are PyTorch's and NumPy's own; `order` draws the batches, the generators drop units."""

    epoch: int
    curves: Curves
    network: dict[str, Any]
    optimiser: dict[str, Any]
    schedule: dict[str, Any]
    order: dict[str, Any]
    torch_generator: torch.Tensor
    cuda_generators: list[torch.Tensor]


@dataclass(frozen=True)
class Checkpoints:
    """`key` names samples, plan and conditions: what was learnt under another key is not gone on with."""

    path: Path
    key: str
    every: int
    say: Callable[[str], None]

    def load(self) -> Checkpoint | None:
        if not self.path.exists():
            return None
        try:
            # Tensors, numbers and words only: a checkpoint is data and must not be able to run anything.
            kept = torch.load(self.path, weights_only=True, map_location="cpu")
            if kept["key"] == self.key:
                return Checkpoint(**kept["state"])
            why = "it belongs to other samples, another plan or another PyTorch"
        except Exception as error:  # whatever a damaged file makes of the reader: it is data of ours, not a fault of ours
            why = f"it cannot be read: {type(error).__name__}"
        aside = self.path.with_suffix(".unfit")
        self.path.replace(aside)
        self.say(f"The checkpoint is set aside as {aside.name}, and training begins anew: {why}.")
        return None

    def save(self, checkpoint: Checkpoint, is_last: bool) -> None:
        if is_last or checkpoint.epoch % self.every == 0:
            # Not asdict of the tensors, which would copy them all.
            state = {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}
            write_through(self.path, lambda beside: torch.save({"key": self.key, "state": state}, beside))


def generators(device: torch.device) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Where PyTorch's chance stands."""
    cuda = torch.cuda.get_rng_state_all() if device.type == "cuda" else []
    return torch.get_rng_state(), cuda


def put_back(checkpoint: Checkpoint) -> None:
    torch.set_rng_state(checkpoint.torch_generator)
    if checkpoint.cuda_generators:
        torch.cuda.set_rng_state_all(checkpoint.cuda_generators)
