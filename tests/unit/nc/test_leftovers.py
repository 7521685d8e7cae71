"""What a program leaves on, and in force, after its end."""

import pytest

from cnc_station.engine.domain.nc import DEFAULT, Limits
from tests.unit.nc.programs import read_text, warnings

HEAD = "G21 G90 G54 G17 G94"
LATHE = Limits(lathe=True)


def left(text: str, limits: Limits = DEFAULT) -> list[str]:
    program = read_text(f"{HEAD}\n{text}", limits)
    assert not program.refused
    return [message for message in warnings(program) if message.startswith("leaves ")]


def on(text: str) -> tuple[str, ...]:
    return read_text(f"{HEAD}\n{text}").leaves_on


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("S9 M3\nG0 X1 Y1\n%", ("spindle",)),
        ("S9 M4\nG0 X1 Y1", ("spindle",)),
        ("S9 M3 M8\nG0 X1 Y1\nM5\nM99", ("coolant",)),
        ("S9 M3\nM7\nG0 X1 Y1\nM99", ("spindle", "coolant")),
        ("S9 M13\nG0 X1 Y1\nM5\n%", ("coolant",)),
        ("S9 M13\nG0 X1 Y1\nM9\n%", ("spindle",)),
        ("M88\nG0 X1 Y1\n%", ("coolant",)),
        ("S9 M3\nM5\nM3\nG0 X1 Y1\n%", ("spindle",)),
        ("o1 sub\nS9 M3\no1 endsub\nG0 X1 Y1\no1 call\n%", ("spindle",)),
        ("S100 G96 M3\nG0 X1 Y1\n%", ("spindle",)),
        ("S9 M3\nG0 X1 Y1\nM2", ()),
        ("S9 M3 M8\nG0 X1 Y1\nM30", ()),
        ("S9 M3 M8\nG0 X1 Y1\nM5 M9\n%", ()),
        ("S9 M3\nG0 X1 Y1\nT2 M6\n%", ()),
        ("S9 M3\nG0 X1 Y1\nM19\n%", ()),
        ("S9 M3\nG0 X1 Y1\nS0\n%", ()),
        ("M88\nM89\nG0 X1 Y1\n%", ()),
        ("S9 M5\nG0 X1 Y1\n%\nM3", ()),
    ],
)
def test_what_no_block_and_no_end_stops_is_left_on(text: str, what: tuple[str, ...]) -> None:
    assert on(text) == what


def test_what_is_left_on_is_warned_about_where_it_was_started() -> None:
    program = read_text(f"{HEAD}\nS9 M3\nM8\nG0 X1 Y1\n%")
    found = [(finding.line, finding.message) for finding in program.findings]

    assert (2, "the spindle is still on when the program ends (M5 or M30 is missing)") in found
    assert (3, "the coolant is still on when the program ends (M9 or M30 is missing)") in found
    assert not program.refused


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("G91 G0 X1 Y1\n%", "G91"),
        ("G91 G55 G0 X1 Y1\nM99", "G91 and G55"),
        ("G91 G55 G18 G0 X1 Y1\n%", "G91, G55 and G18"),
        ("G54.1 P3 G0 X1 Y1\n%", "G54.1 P3"),
        ("G93 G0 X1 Y1\n%", "G93"),
        ("G43 H1 G0 X1 Y1\n%", "G43"),
        ("G41 D1 G0 X1 Y1\n%", "G41"),
        ("G90.1 G0 X1 Y1\nM30", "G90.1"),
        ("G0 X1 Y1\nG92 X0\nM30", "the G92 shift"),
        ("G52 X7\nG0 X1 Y1\nM30", "the G52 shift"),
        ("G0 X1 Y1\nG92 X0\nG92.2\nG92.3\nM2", "the G92 shift"),
    ],
)
def test_modes_that_the_end_does_not_reset_are_named_in_one_warning(text: str, names: str) -> None:
    assert left(text) == [f"leaves {names} in force for the next program"]


@pytest.mark.parametrize(
    "text",
    [
        "G91 G55 G18 G93 G41 D1 G43 H1 G0 X1 Y1\nM30",
        "G91 G55 G18 G93 G43 H1 G0 X1 Y1\nM2",
        "G20 G99 G61 G0 X1 Y1\n%",
        "G91 G0 X1 Y1\nG90\n%",
        "G55 G0 X1 Y1\nG54\n%",
        "G0 X1 Y1\nG92 X0\nG92.1\n%",
        "G52 X7\nG0 X1 Y1\nG52 X0\n%",
        "G43 H1 G0 X1 Y1\nG49\n%",
    ],
)
def test_an_ordinary_end_gives_no_warning(text: str) -> None:
    assert left(text) == []


def test_a_lathe_may_leave_what_is_usual_on_a_lathe() -> None:
    assert left("G18 G95 G43 H1\nG0 X1 Z1\n%", LATHE) == []
    assert left("G18 G96 S9 M3\nG0 X1 Z1\n%", LATHE) == ["leaves G96 in force for the next program"]
