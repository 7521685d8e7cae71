"""The state of the controller at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cnc_station.engine.drivers.linuxcnc.client import NAK
from cnc_station.peers.values import parse_number, parse_whole

Place = tuple[float, float, float]

AXES = (("0", "X"), ("1", "Y"), ("2", "Z"))


def asked(joints: int, *, spindle: bool = False) -> tuple[str, ...]:
    """Return the questions for a snapshot. Positions and joints are asked by number: for all at
    once, some versions return machine coordinates, and for Y, others return X. The spindle is asked
    only of versions that survive it (see `client`). Errors are asked several times: errors and
    messages share one queue, and each question removes one entry. A refused program leaves three
    errors, of which the first is the most useful."""
    return (
        "program_status",
        "mode",
        "estop",
        "machine",
        "enable",
        *["error"] * ERRORS,
        *MESSAGES,
        "plat",  # it ends a text, which may begin like another answer
        "program",
        "program_line",
        "program_codes",
        *(f"rel_act_pos {axis}" for axis, _ in AXES),
        "pos_offset",
        "feed_override",
        "tool",
        *COOLANT,
        *(SPINDLE if spindle else ()),
        *(f"joint_homed {joint}" for joint in range(joints)),
    )


SPINDLE = ("spindle 0", "spindle_override 0")
COOLANT = ("flood", "mist")
ERRORS = 3
MESSAGES = ("operator_display", "operator_text")
OPTIONAL = frozenset({*SPINDLE, *MESSAGES, *COOLANT, "pos_offset", "feed_override", "tool"})
IDLE, RUNNING, PAUSED = "IDLE", "RUNNING", "PAUSED"
MM_IN = {"MM": 1.0, "CM": 10.0, "INCH": 25.4}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """mm in the active work offset, mm/min, rpm, overrides as fractions. `z_is_work`: no tool
    length is active, which the controller does not subtract from Z. `zero` is the work zero in
    machine coordinates. `feed` and `speed` are programmed values; `turns`: the spindle turns.
    `errors` and `message` are new; a message does not fail a program."""

    state: str
    mode: str
    estop: bool
    on: bool
    enabled: bool
    errors: tuple[str, ...]
    message: str
    program: str
    line: int
    codes: frozenset[str]
    homed: bool
    place: Place
    z_is_work: bool
    zero: Place | None
    feed: float
    speed: float
    turns: bool | None
    coolant: bool
    tool: int | None
    feed_override: float | None
    spindle_override: float | None

    @property
    def g92(self) -> bool:
        """Whether a G92 offset is active, as far as the controller reports it."""
        return "G92.3" in self.codes

    @classmethod
    def read(cls, answers: Sequence[tuple[str, str]], mm: float) -> Self:
        """Parse the answers to `asked`; a machine unit is `mm` mm. Raises ValueError for others."""
        answer = dict(answers)
        if any(answer == NAK and question not in OPTIONAL for question, answer in answers):
            raise ValueError(NAK)
        codes = answer["program_codes"].split()
        place = []
        for axis, name in AXES:  # each answer repeats its axis, as a number or by name
            about, number = answer[f"rel_act_pos {axis}"].split()
            _must_be(about.upper(), axis, name)
            place.append(parse_number(number) * mm)
        state, mode = answer["program_status"].upper(), answer["mode"].upper()
        _must_be(state, IDLE, RUNNING, PAUSED)
        _must_be(mode, "MANUAL", "AUTO", "MDI")
        for switch in ("estop", "machine", "enable"):
            _must_be(answer[switch].upper(), "ON", "OFF")
        spindle = answer.get("spindle 0", NAK).upper()
        turning = spindle.endswith(("FORWARD", "REVERSE", "CREASE"))
        tool = answer["tool"]
        return cls(
            state=state,
            mode=mode,
            estop=answer["estop"].upper() == "ON",
            on=answer["machine"].upper() == "ON",
            enabled=answer["enable"].upper() == "ON",
            errors=_texts(answers, "error"),
            message=" · ".join(_texts(answers, *MESSAGES)),
            program="" if answer["program"].upper() == "NONE" else answer["program"],
            line=parse_whole(answer["program_line"]),
            codes=frozenset(code for code in codes if code[0] in "GM"),
            homed=all(
                answer.upper() == f"{question[-1]} YES"
                for question, answer in answer.items()
                if question.startswith("joint_homed")
            ),
            place=(place[0], place[1], place[2]),
            z_is_work="G49" in codes,
            zero=_zero(answer["pos_offset"], codes),
            feed=_code(codes, "F") * (25.4 if "G20" in codes else 1.0),
            speed=_code(codes, "S"),
            turns=None if spindle == NAK else turning,
            coolant=any(answer[what].upper() == "ON" for what in COOLANT),
            tool=parse_whole(tool) if tool.isdecimal() else None,
            feed_override=_share(answer["feed_override"]),
            spindle_override=_share(answer.get("spindle_override 0", NAK)),
        )


def _texts(answers: Sequence[tuple[str, str]], *questions: str) -> tuple[str, ...]:
    texts = (answer for what, answer in answers if what in questions)
    return tuple(answer for answer in texts if answer.upper() not in {"OK", NAK})


def _must_be(answer: str, *possible: str) -> None:
    if answer not in possible:
        raise ValueError(answer)


def _zero(answer: str, codes: list[str]) -> Place | None:
    """Return the work zero. Asked for one axis by number, the controller does not answer correctly.
    The value is in the units of the modes, not of the machine."""
    if answer == NAK:
        return None
    unit = 25.4 if "G20" in codes else 1.0
    x, y, z = (parse_number(number) * unit for number in answer.split()[:3])
    return (x, y, z)


def _share(text: str) -> float | None:
    return None if text == NAK else parse_number(text.rpartition(" ")[2]) / 100.0


def _code(codes: list[str], letter: str) -> float:
    return next((parse_number(code[1:]) for code in codes if code.startswith(letter)), 0.0)
