"""Parse what the controller sends. No function raises, for any input."""

import re
from dataclasses import dataclass, replace

from cnc_station.peers.values import parse_number

Point = tuple[float, float, float]
Axes = tuple[float, ...]  # one number for each axis


@dataclass(frozen=True, slots=True)
class Report:
    """One status report, `<Run|MPos:1.000,2.000,3.000|FS:500,0>`; a field is None if it is missing.
    Lengths are in mm, or in inches if the controller is set to report in them."""

    state: str
    sub: int | None = None
    machine: Point | None = None
    work: Point | None = None
    offset: Point | None = None  # WCO: machine position minus work position
    feed: float | None = None
    spindle: float | None = None
    overrides: tuple[float, float, float] | None = None  # feed, rapid, spindle; 1.0 is 100 %
    blocks_free: int | None = None
    line: int | None = None
    tool: int | None = None
    homed: bool | None = None
    axes: Axes | None = None  # all axes, in machine or in work coordinates

    @property
    def spelled(self) -> str:
        """The state as the controller writes it: `Hold:1`."""
        return self.state if self.sub is None else f"{self.state}:{self.sub}"

    @property
    def at_rest(self) -> bool:
        """Whether no axis moves or will move by itself. `Hold:1` still decelerates; a door's 2 and
        3 are parking and resuming."""
        match self.state:
            case "Hold":
                return self.sub in (None, 0)
            case "Door":
                return self.sub in (None, 0, 1)
            case _:
                return self.state in ("Idle", "Alarm", "Sleep", "Tool", "Check")


_STATES = frozenset(
    {"Idle", "Run", "Hold", "Jog", "Alarm", "Door", "Check", "Home", "Sleep", "Tool"}
)


def report(text: str) -> Report | None:
    """Return a status report; None if the line is not one, or is damaged."""
    if not (text.startswith("<") and text.endswith(">")):
        return None
    state, *fields = text[1:-1].split("|")
    state, _, sub = state.partition(":")
    if state not in _STATES or not re.fullmatch(r"[0-9]{0,3}", sub):
        return None
    found: dict[str, list[float]] = {}
    for field in fields:
        name, _, values = field.partition(":")
        numbers = _numbers(values)
        if numbers:
            found[name] = numbers
    speeds = found.get("FS") or found.get("F") or []
    return Report(
        state,
        int(sub) if sub else None,
        machine=_point(found.get("MPos")),
        work=_point(found.get("WPos")),
        offset=_point(found.get("WCO")),
        feed=speeds[0] if speeds else None,
        spindle=speeds[1] if len(speeds) > 1 else None,
        overrides=(percent[0] / 100, percent[1] / 100, percent[2] / 100)
        if len(percent := found.get("Ov", [])) == 3
        else None,
        blocks_free=_whole(found.get("Bf")),
        line=_whole(found.get("Ln")),
        tool=_whole(found.get("T")),
        homed=None if (homed := _whole(found.get("H"))) is None else homed > 0,
        axes=tuple(places) if (places := found.get("MPos") or found.get("WPos")) else None,
    )


def _numbers(values: str) -> list[float]:
    """Return all numbers, or none if one is not a number."""
    try:
        return [parse_number(value) for value in values.split(",")]
    except ValueError:
        return []


def _point(numbers: list[float] | None) -> Point | None:
    """Return X, Y, Z. Z is 0 on a machine of two axes; a fourth axis is ignored."""
    if numbers is None or len(numbers) < 2:
        return None
    return (numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0.0)


def _whole(numbers: list[float] | None) -> int | None:
    return int(numbers[0]) if numbers else None


_WELCOME = re.compile(r"(GrblHAL|Grbl) (\S+) \[", re.IGNORECASE)
_CODE = re.compile(r"(error|ALARM):(\d{1,3})")
_SETTING = re.compile(r"\$(\d{1,4})=(\S+)")


def welcome(text: str) -> str | None:
    """Return `Grbl 1.1h` from the welcome line of a controller, with or without noise before it."""
    found = _WELCOME.search(text)
    if found is None:
        return None
    return f"{'grblHAL' if found[1].lower() == 'grblhal' else 'Grbl'} {found[2]}"


def code(text: str, word: str) -> int | None:
    """Return the number of an `error:20` or an `ALARM:1`."""
    found = _CODE.fullmatch(text)
    return int(found[2]) if found and found[1] == word else None


def setting(text: str) -> tuple[int, str] | None:
    """Return the number and value of a `$13=0`."""
    found = _SETTING.match(text)
    return (int(found[1]), found[2]) if found else None


@dataclass(frozen=True, slots=True)
class Make:
    """The make of a controller. `hal`: it speaks grblHAL's dialect. `buffer`: the size of its
    receive buffer in bytes. `axes`: the letters of its axes."""

    name: str = "Grbl"
    hal: bool = False
    buffer: int = 128
    blocks: int | None = None
    options: str = ""
    axes: str = "XYZ"


def make(lines: list[str], name: str | None) -> Make:
    """Return the make from the answer to `$I`: `[VER:1.1h.20190825:]`, `[OPT:V,15,128]`,
    `[FIRMWARE:grblHAL]`. `name` comes from its welcome line, if one was received."""
    inside = [line[1:-1].partition(":") for line in lines if line[:1] == "[" and line[-1:] == "]"]
    answer = {word: value for word, _, value in inside}
    options, *numbers = answer.get("OPT", "").split(",")
    hal = answer.get("FIRMWARE", name or "").startswith("grblHAL") or len(numbers) > 2
    if name is None:
        version = ".".join(answer.get("VER", "").split(":")[0].split(".")[:2])
        name = f"{'grblHAL' if hal else 'Grbl'} {version}".strip()
    sizes = [int(number) if _SIZE.fullmatch(number) else 0 for number in numbers[:2]]
    blocks, buffer = sizes if len(sizes) == 2 else (0, 0)
    return Make(name, hal, buffer or 128, blocks or None, options, _axes(answer, numbers))


_AXES = "XYZABCUVW"
_SIZE = re.compile(r"[0-9]{1,5}")


def _axes(answer: dict[str, str], numbers: list[str]) -> str:
    """Return the axes from grblHAL's `[AXS:4:XYZA]`, or from the third number of its options."""
    named = answer.get("AXS", "").partition(":")[2]
    if named:
        return named[: len(_AXES)]
    count = int(numbers[2]) if len(numbers) > 2 and _SIZE.fullmatch(numbers[2]) else 3
    return _AXES[: max(count, 3)]


_MM_PER_INCH = 25.4


class Picture:
    """The reported state of a controller. `report` is the latest, in the controller's unit.
    `overrides`, `homed` and `offset` (WCO) are the last ones reported. `alarm` is the number of its
    present alarm, if known."""

    def __init__(self) -> None:
        self.report = Report("Idle")
        self.overrides: tuple[float, float, float] | None = None
        self.alarm: int | None = None
        self.homed: bool | None = None
        self.inches = False
        self.offset: Point | None = None
        self._most_free: int | None = None

    def take(self, report: Report) -> None:
        self.offset = report.offset or self.offset
        self.homed = self.homed if report.homed is None else report.homed
        self.overrides = report.overrides or self.overrides
        if report.blocks_free is not None:
            self._most_free = max(self._most_free or 0, report.blocks_free)
        if report.state != "Alarm":
            self.alarm = None
        self.report = report

    def take_alarm(self, code: int) -> None:
        """Take over an alarm. It replaces a report: after some alarms none comes."""
        self.alarm = code
        self.report = replace(self.report, state="Alarm", sub=None, feed=0.0)

    def forget(self) -> None:
        """Forget what a reset clears. The controller reports it again."""
        self.offset = self.overrides = self.homed = None

    @property
    def blocks_waiting(self) -> int | None:
        """Motions in the planner; None if not reported."""
        free = self.report.blocks_free
        return None if free is None or self._most_free is None else self._most_free - free

    @property
    def place(self) -> Point | None:
        """Position in work coordinates, mm; None until enough was reported."""
        report = self.report
        place = report.work
        if place is None and report.machine is not None and self.offset is not None:
            x, y, z = (a - b for a, b in zip(report.machine, self.offset, strict=True))
            place = (x, y, z)
        if place is not None and self.inches:
            return (place[0] * _MM_PER_INCH, place[1] * _MM_PER_INCH, place[2] * _MM_PER_INCH)
        return place

    @property
    def feed(self) -> float | None:
        """Feed rate in mm/min."""
        feed = self.report.feed
        return feed * _MM_PER_INCH if feed is not None and self.inches else feed
