"""Work without a machine: the protocol of a handler.

A handler gets a payload and works until it is done. It runs at least once: if its station dies, the
run is tried again.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cnc_station.engine.domain.errors import CncStationError, FieldError
from cnc_station.engine.handlers.output import Output
from cnc_station.engine.outgoing_http import OutgoingHttp

MOST_RESULT = 4_000  # characters of a result's text


class HandlerFailed(CncStationError):
    """The work failed, with a sentence that states why. `code` is the exit code or HTTP status. It
    is tried again, unless it is `final`: a retry would fail in the same way."""

    def __init__(self, reason: str, code: int | None = None, *, final: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.final = final


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """What came of the work: a text for people, and the exit code or HTTP status."""

    text: str = ""
    code: int | None = None


@dataclass(frozen=True, slots=True)
class HandlerOrder:
    """The work of one run. `attempt` counts from 1. `payload` is that of the job: checked at
    intake, but an older version may have stored it. `key` is different for each run of each job, in
    all databases; jobs of one request share a `trace_id`. What is written to `output` is kept with
    the run."""

    run_id: int
    job_id: int
    attempt: int
    payload: Mapping[str, Any]
    key: str = ""
    trace_id: str = ""
    output: Output = field(default_factory=Output)


class Handler(Protocol):
    """One kind of work. Several runs share it at the same time."""

    name: str  # "test.delay": as jobs name it

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:
        """Return what is wrong with a payload, by field. Called at intake."""

    async def run(
        self, order: HandlerOrder, progress: Callable[[float], None]
    ) -> HandlerResult | None:
        """Do the work, and return when it is done. Report `progress` from 0 to 1.

        Runs on the event loop: await what takes more than 5 ms. Raises HandlerFailed. An abort
        cancels it: it must stop what it has begun before it raises CancelledError.
        """


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A handler that serves only some jobs here: those whose payload has one of `values` in
    `field`. A station claims no others."""

    field: str
    values: frozenset[str]


class RestrictedHandler(ABC):
    """The base of a handler that an administrator allows at each station."""

    @abstractmethod
    def allowed(self) -> Narrowed | None:
        """Return which jobs this station may claim for it; None if it is off."""

    @abstractmethod
    def refusal(self, payload: Mapping[str, Any]) -> str:
        """Return why this station would not run it; "" if it would."""


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """What the station's own handlers work with. `work_folder` is where runs get folders of their
    own. `shell_commands` is the list of allowed commands; None: shell.command is off. A run acts
    for at most `lease_s` without a sign of life of its station. `http` sends what they send.
    `clean_up` deletes what the retention settings allow, and returns how many of each kind."""

    work_folder: Path
    shell_commands: Path | None
    lease_s: float
    http: OutgoingHttp
    clean_up: Callable[[], Awaitable[Mapping[str, int]]]
