"""A run's settings as words, and what they mean as values: every refusal names the setting and never its secret."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from training.exits import Exit, Failure
from training.options import OPTIONS

T = TypeVar("T")
SAFE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"  # as protocol/names.ts
ON, OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Words:
    """By an option's name; empty where nothing was said. Every method raises Failure for a word that makes no sense."""

    words: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.words[name]

    def address(self, name: str, schemes: tuple[str, ...]) -> str | None:
        text = self.words[name]
        if not text:
            return None
        parts = urlsplit(text)
        if parts.scheme in schemes and text.removeprefix(f"{parts.scheme}://") not in (text, ""):
            return text
        raise wrong_setting(name, f"must be {schemes[0]}://…")  # never the text itself: there may be a password in it

    def name(self, name: str) -> str:
        return self.matching(name, SAFE_NAME)

    def matching(self, name: str, pattern: str) -> str:
        if re.fullmatch(pattern, self.words[name]):
            return self.words[name]
        raise wrong_setting(name, f"cannot be {self.words[name]!r}")

    def one_of(self, name: str, values: tuple[str, ...]) -> str:
        return self.matching(name, "|".join(values))

    def switch(self, name: str) -> bool:
        return self.matching(name, f"(?i:{'|'.join((*ON, *OFF))})").lower() in ON

    def number(self, name: str, kind: Callable[[str], T], is_good: Callable[[T], bool]) -> T:
        try:
            value = kind(self.words[name])
        except ValueError:
            raise wrong_setting(name, f"cannot be {self.words[name]!r}") from None
        if not is_good(value):
            raise wrong_setting(name, f"cannot be {self.words[name]}")
        return value

    def optional(self, name: str, kind: Callable[[str], T], is_good: Callable[[T], bool]) -> T | None:
        return self.number(name, kind, is_good) if self.words[name] else None


def wrong_setting(name: str, what: str) -> Failure:
    option = next(option for option in OPTIONS if option.name == name)
    where = option.env if option.flag is None else f"{option.flag} ({option.env})"
    return Failure(Exit.USAGE, "WRONG_SETTING", f"{where} {what}.", "See --help, or docs/training.md.")
