"""The input of every command, and its exit codes."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from cnc_station.config import Config
from cnc_station.engine.domain import table_values
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.timing import now_ms


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

    def moment(self, name: str, text: str | None) -> int | None:
        """Read the time (ms) of an option. Raises InvalidInput."""
        if text is None:
            return None
        zone = ZoneInfo(self.config.time_zone) if self.config.time_zone else None
        try:
            return table_values.moment(text, now=now_ms(), zone=zone, ends_day=False)
        except ValueError as error:
            raise InvalidInput(FieldError(name, str(error))) from error


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
