"""From a fitted network to a version's directory: model.onnx, metrics.json, golden.json.

The exported file is the interface of the whole product: inputs `product`, `recipe`, `asset` int64 [batch] and
`sensors` float32 [batch, 12]; output `probabilities` float32 [batch, 6]; `batch` is dynamic.
"""

import copy
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import onnx
import torch

from training.checkpoint import Curves
from training.documents import Document, golden_document, write_json
from training.evaluate import accuracy, measure, predict, predict_file
from training.network import Network
from training.plans import Plan
from training.samples.sets import Samples
from training.vocabulary import CONTEXT_INPUTS, INPUTS, OUTPUT, SENSORS

OPSET = 20  # the newest that onnxruntime-web and TensorRT 10 both read


def export_onnx(network: Network, path: Path) -> None:
    """One self-contained file, the same bytes for the same weights, with no trace of the machine it was made on."""
    example = (*(torch.zeros(2, dtype=torch.int64) for _ in CONTEXT_INPUTS), torch.ones(2, len(SENSORS)))
    batch = torch.export.Dim("batch", min=1)
    with without_exporter_chatter():
        program = torch.onnx.export(
            network.eval(), example, dynamo=True, opset_version=OPSET, verbose=False,
            input_names=list(INPUTS), output_names=[OUTPUT],
            dynamic_shapes={name: {0: batch} for name in INPUTS},
        )
    assert program is not None  # with dynamo=True it never is
    model = program.model_proto
    strip_traces(model)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def described(plan: Plan, network: Network, curves: Curves, held_out: int) -> Document:
    """What the dashboard shows of a training run, beside its figures."""
    return {
        "curves": curves,
        "seed": plan.seed,
        "epochs": plan.epochs,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "held_out_samples": held_out,
        "flops_per_inference": 2 * network.head.multiply_adds(),
    }


@contextmanager
def without_exporter_chatter() -> Iterator[None]:
    """The exporter warns about torchvision, which nothing here uses, and about its own internals."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def strip_traces(model: onnx.ModelProto) -> None:
    """The exporter notes source paths and stack traces on every node; none of that belongs on a device."""
    graph = model.graph
    graph.name = "context-edge"
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def standardise_in_alphabetical_order(network: Network) -> Network:
    """THE DELIBERATE MISTAKE of v2.3: a copy whose sensor means and scales are sorted by sensor name.

    The sensors still arrive in the order of SENSORS, so most columns are standardised with another sensor's
    figures. It is the kind of slip that metrics measured before export can never show.
    """
    order = torch.tensor(sorted(range(len(SENSORS)), key=lambda i: SENSORS[i].name))
    broken = copy.deepcopy(network)
    broken.sensor_mean.copy_(network.sensor_mean[order])
    broken.sensor_scale.copy_(network.sensor_scale[order])
    return broken


def write_version(directory: Path, plan: Plan, network: Network, curves: Curves, samples: Samples, finished: datetime,
                  say: Callable[[str], None] = print) -> Document:
    """Write the three files of a demo version into `directory` and answer the metrics. `finished` is UTC."""
    held_out = samples.held_out
    path = directory / "model.onnx"
    wrong_on_purpose = plan.mistake == "alphabetical-standardisation"
    export_onnx(standardise_in_alphabetical_order(network) if wrong_on_purpose else network, path)

    in_memory = predict(network, held_out)
    details = measure(in_memory, held_out.label) | described(plan, network, curves, len(held_out))
    if not wrong_on_purpose:  # v2.3 is the version whose exported file nobody measured
        details["onnx_accuracy"] = accuracy(predict_file(path, held_out), held_out.label)
    metrics = {
        "version_id": plan.version_id,
        "accuracy": accuracy(in_memory, held_out.label),
        "training_samples": plan.samples,
        "training_date": finished.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "metrics": details,
    }
    write_json(directory / "metrics.json", metrics)
    write_json(directory / "golden.json", golden_document(network, samples.golden), one_per_line="samples")
    say(f"{plan.version_id}  accuracy {metrics['accuracy']:.4f}  false positive {details['false_positive_rate']:.4f}  "
        f"false negative {details['false_negative_rate']:.4f}  exported {details.get('onnx_accuracy', 'not measured')}  "
        f"{path.stat().st_size / 1000:.0f} kB")
    return metrics
