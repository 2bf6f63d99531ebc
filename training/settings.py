"""The settings of one run, parsed once at the door: flags outrank the environment, which outranks the defaults."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from training.exits import MEANING, Exit, Failure
from training.options import GROUPS, OPTIONS, Option
from training.plans import PerceptronHead, Plan
from training.words import Words, wrong_setting

# The hub takes 65,536 characters of figures, and the curves of 2,000 epochs are 40,000 of them: refused here, not after the training.
MOST_EPOCHS = 2_000


@dataclass(frozen=True)
class HubSettings:
    url: str
    token: str | None
    patience_s: float


@dataclass(frozen=True)
class SampleSettings:
    """Generated where neither `database` nor `s3` is given. `s3` is bucket and prefix."""

    database: str | None
    table: str
    s3: tuple[str, str] | None
    generated: int
    minimum: int
    held_out_share: float
    patience_s: float


@dataclass(frozen=True)
class Settings:
    hub: HubSettings | None
    model: str
    version: str | None
    key_file: Path | None
    minimum_release: int | None
    samples: SampleSettings
    plan: Plan  # its version_id and samples are filled in when they are known
    device: str
    threads: int
    work: Path
    checkpoint_every: int
    fresh: bool
    force: bool
    engines: str
    trtexec: str | None
    compare_with: str
    require_better: bool
    margin: float
    json: bool


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Raises Failure that names the one setting that is wrong; --help ends the process."""
    given = _parser().parse_args(arguments)
    # An empty variable is an unset one: that is how a line of an environment file is switched off.
    words = {option.name: getattr(given, option.name, None) or environment.get(option.env) or option.default
             for option in OPTIONS}
    return _settings(Words(words))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Failure(Exit.USAGE, "WRONG_USE", f"{message}.", "See --help.")


def _parser() -> argparse.ArgumentParser:
    codes = "\n".join(f"  {int(code):3d}  {meaning}" for code, meaning in MEANING.items())
    parser = _Parser(prog="python -m training.train", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
                     description="Trains one version and registers it with the hub for review.",
                     epilog=f"exit codes:\n{codes}\n\ndocs/training.md tells the rest.")
    for title, options in GROUPS.items():
        group = parser.add_argument_group(title)
        for option in options:
            _add(group, option)
    return parser


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    default = f" (default {option.default})" if option.default else ""
    meaning = f"{option.meaning}{default} [{option.env}]".replace("%", "%%")
    if option.flag is None:
        group.description = f"{group.description or ''} {option.env}: {option.meaning}.".strip()
    elif option.is_switch:
        group.add_argument(option.flag, action="store_const", const="1", help=meaning)
    else:
        group.add_argument(option.flag, metavar=option.name.upper(), help=meaning)


def _settings(words: Words) -> Settings:
    patience = words.number("patience", float, lambda value: value >= 0)
    samples = SampleSettings(
        database=words.address("database", ("postgres", "postgresql")),
        table=words.matching("table", r"\w+(\.\w+)?"),
        s3=_bucket(words),
        generated=words.number("samples", int, lambda value: value > 0),
        minimum=words.number("min_samples", int, lambda value: value > 0),
        held_out_share=words.number("held_out_share", float, lambda value: 0 < value < 0.9),
        patience_s=patience,
    )
    hub = _hub(words, patience)
    key_file = Path(words["key"]) if words["key"] else None
    if hub is not None and key_file is None:
        raise wrong_setting("key", "is not set, and a version without a signed statement cannot be deployed")
    return Settings(
        hub=hub, model=words.name("model"), version=words.name("version") if words["version"] else None,
        key_file=key_file, minimum_release=words.optional("minimum_release", int, lambda value: value > 0),
        samples=samples, plan=_plan(words), device=words.one_of("device", ("auto", "cpu", "cuda")),
        threads=words.number("threads", int, lambda value: value > 0), work=Path(words["work"]),
        checkpoint_every=words.number("checkpoint_every", int, lambda value: value > 0),
        fresh=words.switch("fresh"), force=words.switch("force"),
        engines=words.one_of("engines", ("auto", "always", "never")), trtexec=words["trtexec"] or None,
        compare_with=words.name("compare_with"), require_better=words.switch("require_better"),
        margin=words.number("margin", float, lambda value: 0 <= value < 1), json=words.switch("json"),
    )


def _plan(words: Words) -> Plan:
    hidden = tuple(int(width) for width in words.matching("hidden", r"[1-9]\d{0,4}(,[1-9]\d{0,4})*").split(","))
    dropout = words.number("dropout", float, lambda value: 0 <= value < 1)
    return Plan(
        version_id="", note="", head=PerceptronHead(hidden, dropout), samples=0,
        epochs=words.number("epochs", int, lambda value: 0 < value <= MOST_EPOCHS),
        seed=words.number("seed", int, lambda value: value >= 0),
        learning_rate=words.number("learning_rate", float, lambda value: value > 0),
        weight_decay=words.number("weight_decay", float, lambda value: value >= 0),
        batch=words.number("batch", int, lambda value: value > 0),
    )


def _hub(words: Words, patience: float) -> HubSettings | None:
    if words.switch("no_hub"):
        return None
    url = words.address("hub", ("http", "https"))
    if url is None:
        raise wrong_setting("hub", "is not set; without a hub, say --no-hub")
    return HubSettings(url, _token(words), patience)


def _token(words: Words) -> str | None:
    if not words["token_file"]:
        return words["token"] or None
    try:
        return Path(words["token_file"]).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise wrong_setting("token_file", f"cannot be read: {type(error).__name__}") from None


def _bucket(words: Words) -> tuple[str, str] | None:
    found = words.address("s3", ("s3",))
    parts = urlsplit(found or "")
    return (parts.netloc, parts.path.lstrip("/")) if found else None
