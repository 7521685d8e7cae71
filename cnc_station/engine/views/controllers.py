"""Controllers: what they do, their identity, settings and messages on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cnc_station.engine.domain.machine import Position
from cnc_station.engine.domain.text_gate import are_tidy, is_tidy, visible

MOST_TEXT = 2_000  # characters of one text of a controller
KEPT = "•" * 8  # shown for a stored password


class Doing(StrEnum):
    """What a controller does, in words that all kinds share."""

    READY = "ready"  # nothing runs, and a program could be started now
    RUNNING = "running"
    HELD = "held"  # stopped in a program and can be continued: feed hold, M0
    NOT_READY = "not_ready"  # off, not homed, in manual mode, controlled by others
    ALARM = "alarm"  # does nothing until it is unlocked
    UNREACHABLE = "unreachable"  # it does not answer


@dataclass(frozen=True, slots=True)
class Status:
    """What a controller reports of itself; None: it does not. mm, mm/min, rpm; overrides: 1.0 is
    100 %.

    `why` is the controller's own text where it is held, not ready, in alarm or unreachable,
    otherwise its message to the operator; `remedy` is what a person can do about it. `program` is
    the controller's name of the loaded program. `fraction` is of the present part, if known.
    `parts` is its own counter. `position`: whether its coordinates can be trusted. `details` is the
    system's text behind `why` if it could not be reached. Its texts are bounded and made visible.
    """

    doing: Doing
    why: str = ""
    remedy: str = ""
    program: str = ""
    line: int | None = None
    fraction: float | None = None
    x: float | None = None
    y: float | None = None
    z: float | None = None
    feed_mm_min: float | None = None
    spindle_rpm: float | None = None
    tool: int | None = None
    feed_override: float | None = None
    rapid_override: float | None = None
    spindle_override: float | None = None
    parts: int | None = None
    position: Position | None = None
    details: str = ""

    def __post_init__(self) -> None:
        texts = (self.why, self.remedy, self.program, self.details)
        if sum(map(len, texts)) <= MOST_TEXT and are_tidy(texts):
            return  # most are: thousands a second are made
        for name in ("why", "remedy", "program", "details"):
            text = getattr(self, name)
            if len(text) > MOST_TEXT or not is_tidy(text):
                object.__setattr__(self, name, visible(text, MOST_TEXT, lines=name != "program"))


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a controller can be told to do. One that only reports has none: people start and stop it
    at its panel."""

    starts: bool = True
    holds: bool = True  # and resumes
    aborts: bool = True
    unlocks: bool = True
    outlives: bool = True  # its run continues without its station
    # It loads nothing, cuts nothing and can't refuse: the start is written with the claim, which
    # saves each run a commit (and a sixth of its CPU time).
    begins_with_claim: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether a held run can be continued: by its controller, or when a person confirms that
        the next blank is in it. Otherwise this is done at the machine's own panel."""
        return self.holds or self.starts


class AtClosing(StrEnum):
    """What happens to a live run if its station is closed now."""

    GOES_ON = "goes_on"  # its controller needs no station
    ABORTED = "aborted"  # half-way: a person must inspect the part
    BEGINS_AGAIN = "begins_again"  # stopped; nothing was cut
    RETURNED = "returned"  # not started: its job is queued again


@dataclass(frozen=True, slots=True)
class RunInHand:
    """A run that this station drives; `job` is the name of its job, `handler` the handler of a run
    without a machine."""

    machine_id: int | None
    job_id: int
    job: str
    at_closing: AtClosing
    handler: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """The controller that answered: for the connection test and the machine's page."""

    controller: str  # "LinuxCNC 2.9", "grblHAL 1.1f"
    details: tuple[tuple[str, str], ...] = ()  # (label, value), in reading order

    def __post_init__(self) -> None:
        shown = tuple((label, visible(value, MOST_TEXT)) for label, value in self.details)
        object.__setattr__(self, "controller", visible(self.controller, MOST_TEXT))
        object.__setattr__(self, "details", shown)


@dataclass(frozen=True, slots=True)
class Message:
    """One message on the wire; `at` in ms since the epoch, `sent` by this station or received."""

    at: int
    sent: bool
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a driver's settings form. A `secret` is known to the driver only: views show
    `KEPT` in its place, and `KEPT` in an edit leaves it unchanged."""

    name: str
    label: str
    default: str = ""
    hint: str = ""
    wanted: bool = False
    choices: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """A kind of driver for the form. `real`: a machine moves; its runs are never retried
    automatically, and by default people start and clear it. `dialect`: the name of the dialect that
    its controllers read programs in; None: the machine's settings state it, or it is guessed."""

    name: str
    title: str
    settings: tuple[Setting, ...] = ()
    abilities: Abilities = Abilities()
    real: bool = True
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The result of a connection test. `failure`: why there was no connection, in plain words;
    `details` is the system's text."""

    identity: Identity | None = None
    status: Status | None = None
    failure: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class FoundController:
    """A controller that a machine could be connected to. `settings` are those for its driver,
    `address` is one of them for people. `machine` is the name of the machine that has it already;
    None: none has. `note`: what is not known of it, or must be done first."""

    driver: str
    title: str
    address: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    machine: str | None = None

    def __post_init__(self) -> None:
        for name in ("title", "address", "note"):
            object.__setattr__(self, name, visible(getattr(self, name), MOST_TEXT))
