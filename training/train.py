"""Train one version: generate, fit, measure, export, write its directory. `python -m training.train --help`."""

import argparse
import sys
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from training.evaluate import accuracy, predict
from training.generator import Records, build_factory, draw
from training.network import Network
from training.plans import PLANS, VALIDATION_SAMPLES, VALIDATION_SEED, Plan, TiedFlowHead
from training.vocabulary import INPUTS

Curves = dict[str, list[float]]


def train(plan: Plan, say=print) -> tuple[Network, Curves]:
    """The fitted network, ready to serve, and its curves per epoch. Deterministic by `plan.seed`."""
    torch.manual_seed(plan.seed)
    torch.use_deterministic_algorithms(True)
    factory = build_factory()
    records = draw(factory, plan.samples, plan.seed)
    validation = draw(factory, VALIDATION_SAMPLES, VALIDATION_SEED)
    network = Network(plan.head.build(), records.sensors.mean(0), records.sensors.std(0))
    curves = fit(network, plan, records, validation, say)
    if isinstance(plan.head, TiedFlowHead):
        network.head.steps = plan.head.serving_steps
    return network.eval(), curves


def fit(network: Network, plan: Plan, records: Records, validation: Records, say) -> Curves:
    """AdamW with a one-cycle learning rate; loss is cross entropy, mean over the epoch."""
    inputs = [torch.from_numpy(getattr(records, name)) for name in INPUTS]
    label = torch.from_numpy(records.label)
    order = np.random.default_rng(plan.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    batches = -(-plan.samples // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.learning_rate, total_steps=batches * plan.epochs)
    curves: Curves = {"epoch": [], "train_loss": [], "validation_accuracy": []}
    for epoch in range(1, plan.epochs + 1):
        started, total = time.monotonic(), 0.0
        network.train()
        for index in np.array_split(order.permutation(plan.samples), batches):
            index = torch.from_numpy(index)
            loss = cross_entropy(network.logits(*(column[index] for column in inputs)), label[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(index)
        curves["epoch"].append(epoch)
        curves["train_loss"].append(round(total / plan.samples, 4))
        curves["validation_accuracy"].append(accuracy(predict(network, validation), validation.label))
        say(f"{plan.version_id}  epoch {epoch:2d}/{plan.epochs}  loss {curves['train_loss'][-1]:.4f}  "
            f"validation {curves['validation_accuracy'][-1]:.4f}  {time.monotonic() - started:.1f} s")
    return curves


def main(arguments: list[str]) -> None:
    from training.export import write_version  # here, so that --help does not load the exporter

    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--version", required=True, choices=sorted(PLANS), help="which plan of training/plans.py to run")
    parser.add_argument("--output", type=Path, required=True, help="directory for model.onnx, metrics.json, golden.json")
    parser.add_argument("--samples", type=int, help="training records, instead of the plan's")
    parser.add_argument("--epochs", type=int, help="passes over them, instead of the plan's")
    parser.add_argument("--seed", type=int, help="seed of data, weights and order, instead of the plan's")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default 2; figures may move with it)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    given = {name: getattr(options, name) for name in ("samples", "epochs", "seed")}
    changes = {name: value for name, value in given.items() if value is not None}
    plan = replace(PLANS[options.version], **changes)
    network, curves = train(plan)
    write_version(options.output, plan, network, curves, datetime.now(timezone.utc))


if __name__ == "__main__":
    main(sys.argv[1:])
