"""Regenerate everything under demo/models/: five trained versions and the held-out set, from fixed seeds."""

import argparse
from datetime import datetime, timezone
from pathlib import Path

import torch

from training.documents import held_out_document, write_json
from training.export import write_version
from training.fit import train
from training.plans import HELD_OUT_SEED, PLANS
from training.samples.generated import generate

HELD_OUT_IN_FILE = 1500
DEMO_MODELS = Path(__file__).parent.parent / "demo" / "models"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.make_demo_models", description=__doc__)
    parser.add_argument("--output", type=Path, default=DEMO_MODELS, help="where to write (default demo/models)")
    parser.add_argument("--only", nargs="+", choices=sorted(PLANS), default=sorted(PLANS), help="just these versions")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default 2; figures may move with it)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    held_out = generate(1, 0).held_out.take(slice(HELD_OUT_IN_FILE))
    write_json(options.output / "held-out.json", held_out_document(held_out, HELD_OUT_SEED), one_per_line="samples")
    for version_id in options.only:
        plan = PLANS[version_id]
        print(f"{version_id}: {plan.note}")
        samples = generate(plan.samples, plan.seed)
        network, curves = train(plan, samples.training, samples.validation, lambda epoch: print(f"{plan.version_id}  {epoch}"))
        write_version(options.output / version_id, plan, network, curves, samples, datetime.now(timezone.utc))


if __name__ == "__main__":
    main()
