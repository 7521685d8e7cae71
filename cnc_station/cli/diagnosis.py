"""The result of a check of `doctor`."""

from dataclasses import dataclass
from enum import StrEnum


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
