"""The input of every command, and its exit codes."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

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
        """Whether the answer is JSON."""
        return bool(self.args.json)
