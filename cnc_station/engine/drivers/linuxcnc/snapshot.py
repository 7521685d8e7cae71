"""What the controller says of itself at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cnc_station.engine.drivers.linuxcnc.client import NAK

Place = tuple[float, float, float]

AXES = (("0", "X"), ("1", "Y"), ("2", "Z"))


def asked(joints: int, *, spindle: bool = False) -> tuple[str, ...]:
    """What to ask. Positions and joints one by one, and by number: asked for all positions at once,
    some versions give machine coordinates, and asked for Y, others give X. The spindle only of
    versions that survive it (see `client`). Errors several times: they and the messages to the
    operator stand in one queue, each question takes one thing out of it, whichever it is, and
    remembers one of each kind. A refused program leaves three errors, the first of which tells
    most, and a message may stand before them."""
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
    """mm in the active work offset's coordinates, mm/min, rpm, overrides as shares.

    The controller does not take the tool's length off its Z: `z_is_work` says whether it is right
    all the same, because no length is in use. `zero` is where the work zero lies on the machine,
    `g92` whether a G92 offset is part of it. `feed` and `speed` are the programmed ones, `turns`
    whether the spindle does. `errors` and `message` are new since the snapshot before; no message
    fails a program.
    """

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
        """Whether a G92 offset is active; controllers that do not tell show neither code."""
        return "G92.3" in self.codes

    @classmethod
    def read(cls, answers: Sequence[tuple[str, str]], mm: float) -> Self:
        """From what was `asked` and answered; a unit of the machine is `mm` millimetres. Raises
        ValueError for an answer that belongs to another question."""
        said = dict(answers)
        if any(answer == NAK and question not in OPTIONAL for question, answer in answers):
            raise ValueError(NAK)
        codes = said["program_codes"].split()
        x, y, z = (_numbered(said, f"rel_act_pos {axis}", name) * mm for axis, name in AXES)
        state, mode = said["program_status"].upper(), said["mode"].upper()
        _must_be(state, IDLE, RUNNING, PAUSED)
        _must_be(mode, "MANUAL", "AUTO", "MDI")
        for switch in ("estop", "machine", "enable"):
            _must_be(said[switch].upper(), "ON", "OFF")
        spindle = said.get("spindle 0", NAK).upper()
        turning = spindle.endswith(("FORWARD", "REVERSE", "CREASE"))
        tool = said["tool"]
        return cls(
            state=state,
            mode=mode,
            estop=said["estop"].upper() == "ON",
            on=said["machine"].upper() == "ON",
            enabled=said["enable"].upper() == "ON",
            errors=_texts(answers, "error"),
            message=" · ".join(_texts(answers, *MESSAGES)),
            program="" if said["program"].upper() == "NONE" else said["program"],
            line=int(said["program_line"]),
            codes=frozenset(code for code in codes if code[0] in "GM"),
            homed=all(
                answer.upper() == f"{question[-1]} YES"
                for question, answer in said.items()
                if question.startswith("joint_homed")
            ),
            place=(x, y, z),
            z_is_work="G49" in codes,
            zero=_zero(said["pos_offset"], codes),
            feed=_code(codes, "F") * (25.4 if "G20" in codes else 1.0),
            speed=_code(codes, "S"),
            turns=None if spindle == NAK else turning,
            coolant=any(said[what].upper() == "ON" for what in COOLANT),
            tool=int(tool) if tool.isdecimal() else None,
            feed_override=_share(said["feed_override"]),
            spindle_override=_share(said.get("spindle_override 0", NAK)),
        )


def _texts(answers: Sequence[tuple[str, str]], *questions: str) -> tuple[str, ...]:
    texts = (said for what, said in answers if what in questions)
    return tuple(said for said in texts if said.upper() not in {"OK", NAK})


def _must_be(answer: str, *possible: str) -> None:
    if answer not in possible:
        raise ValueError(answer)


def _numbered(said: dict[str, str], question: str, name: str) -> float:
    """An answer that repeats what it is about, as a number or by name."""
    about, number = said[question].split()
    _must_be(about.upper(), question[-1], name)
    return float(number)


def _zero(answer: str, codes: list[str]) -> Place | None:
    """Asked for one axis by number it answers nothing of use. It counts in the units of the modes,
    not of the machine."""
    if answer == NAK:
        return None
    unit = 25.4 if "G20" in codes else 1.0
    x, y, z = (float(number) * unit for number in answer.split()[:3])
    return (x, y, z)


def _share(text: str) -> float | None:
    return None if text == NAK else float(text.rsplit(maxsplit=1)[-1]) / 100.0


def _code(codes: list[str], letter: str) -> float:
    return next((float(code[1:]) for code in codes if code.startswith(letter)), 0.0)
