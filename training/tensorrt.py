"""TensorRT engines, where this machine can build one: a variant beside the portable ONNX file. Never run on a GPU yet."""

import hashlib
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.exits import Exit, Failure
from training.signing.statement import Variant
from training.vocabulary import CONTEXT_INPUTS, SENSORS

INSTALLED = "/usr/src/tensorrt/bin/trtexec"  # of NVIDIA's Debian package libnvinfer-bin, and of its containers
LARGEST_BATCH = 64
# Minutes on a Jetson: 9.5 were reported on an Orin.
DEADLINE_S = 60 * 60
MAGIC = b"ftrt"
WHERE_ENGINES_COME_FROM = ("Only the ONNX file is published; it fits every device whose service reads ONNX. "
                           "Engines are built on a device of the fleet's kind (docs/training.md).")


@dataclass(frozen=True)
class Builder:
    trtexec: str
    platform: dict[str, str]  # of this machine: an engine fits no other kind


@dataclass(frozen=True)
class Machine:
    """What is known of this machine; a value, so that a test can be another one."""

    arch: str
    module: str | None  # of a Jetson, from the device tree
    sm: str | None  # compute capability, such as 8.7
    trtexec: str | None


def this_machine(trtexec: str | None, device_tree: Path = Path("/proc/device-tree/model")) -> Machine:
    module = device_tree.read_text(encoding="utf-8", errors="replace").strip("\0\n ") if device_tree.exists() else None
    found = shutil.which(trtexec or "trtexec") or (None if trtexec else shutil.which(INSTALLED))
    arch = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Machine(arch, module, _compute_capability(), found)


def _compute_capability() -> str | None:
    import torch

    if not torch.cuda.is_available():
        return None
    major, minor = torch.cuda.get_device_capability()
    return f"{major}.{minor}"


def find_builder(wish: str, machine: Machine) -> Builder | str:
    """The builder, or why none: `auto` builds on a Jetson only, since an engine of another machine fits no Jetson."""
    if wish == "never":
        return "engines are switched off"
    if machine.trtexec is None:
        return "there is no trtexec here"
    if machine.sm is None:
        return "there is no GPU here"
    is_jetson = machine.module is not None and "Jetson" in machine.module
    if wish == "auto" and not is_jetson:
        return "this is no Jetson, and an engine built here would fit none"
    needs = {"arch": machine.arch, "sm": machine.sm} | ({"module": machine.module} if machine.module and is_jetson else {})
    return Builder(machine.trtexec, needs)


def build_engine(builder: Builder, model: Path, engine: Path, say: Callable[[str], None]) -> Variant:
    """Raises Failure with trtexec's own words. In full precision: golden samples must hold."""
    say(f"building an engine with {builder.trtexec}; this takes minutes")
    command = [builder.trtexec, f"--onnx={model}", f"--saveEngine={engine}", "--skipInference",
               *(f"--{bound}Shapes={_shapes(batch)}" for bound, batch in (("min", 1), ("opt", 1), ("max", LARGEST_BATCH)))]
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=DEADLINE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(f"it did not end well: {type(error).__name__}") from None
    if run.returncode != 0 or "&&&& PASSED" not in run.stdout:
        errors = [line for line in (*run.stdout.splitlines(), *run.stderr.splitlines()) if "[E]" in line]
        raise _failed((errors or [f"exit code {run.returncode}"])[0])
    content = engine.read_bytes()
    version = tensorrt_of(content) or _version_it_says(run.stdout)
    if version is None:
        raise _failed("the engine does not say which TensorRT it is for")
    return Variant(hashlib.sha256(content).hexdigest(), len(content), "trt", builder.platform | {"tensorrt": version})


def tensorrt_of(plan: bytes) -> str | None:
    """Bytes 24 to 26 of a plan of TensorRT 9.0 to 11.1: major, minor, patch. None where the header is another one."""
    if len(plan) < 28 or plan[:4] != MAGIC or plan[4:8] != b"\0\0\0\0":
        return None
    return ".".join(str(part) for part in plan[24:27])


def _version_it_says(output: str) -> str | None:
    """`[TensorRT v100300]` is 10.3.0; before 10 there was a digit less for the minor, `v8502` is 8.5.2."""
    found = re.search(r"\[TensorRT v(\d{4,6})\]", output)
    if found is None:
        return None
    number = int(found[1])
    minor = 100 if number >= 10_000 else 10
    return f"{number // (100 * minor)}.{number // 100 % minor}.{number % 100}"


def _shapes(batch: int) -> str:
    return ",".join((*(f"{name}:{batch}" for name in CONTEXT_INPUTS), f"sensors:{batch}x{len(SENSORS)}"))


def _failed(why: str) -> Failure:
    return Failure(Exit.TRAINING, "ENGINE_BUILD_FAILED", f"trtexec built no engine: {why}.",
                   "Publish ONNX alone with TRAINING_ENGINES=never, or run trtexec by hand.")
