"""The input of every command, and its exit codes."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from cnc_station.config import Config


class Exit(IntEnum):
    """Exit codes. Scripts rely on them."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    BUG = 70
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation of the command line."""

    args: Namespace
    config: Config
    environ: Mapping[str, str]

    @property
    def json(self) -> bool:
        return bool(self.args.json)


class Verdict(StrEnum):
    """The result of a check. Only BAD prevents the station from working."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a check found, and what to do about it."""

    subject: str
    verdict: Verdict
    text: str
    remedy: str = ""

    @classmethod
    def good(cls, subject: str, text: str) -> "Diagnosis":
        return cls(subject, Verdict.GOOD, text)

    @classmethod
    def warning(cls, subject: str, text: str, remedy: str = "") -> "Diagnosis":
        return cls(subject, Verdict.WARNING, text, remedy)

    @classmethod
    def bad(cls, subject: str, text: str, remedy: str) -> "Diagnosis":
        return cls(subject, Verdict.BAD, text, remedy)
