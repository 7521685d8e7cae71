"""Macro B of Fanuc and Haas, local subprograms, and loops that never end."""

from time import process_time

import pytest

from cnc_station.engine.domain.nc import Kind, Limits
from tests.unit.nc.programs import errors, milled, moves, read_text, steps, warnings


def ends(body: str) -> list[float]:
    """The X each move of a program ends at."""
    program = milled(body)
    assert errors(program) == []
    return [end[0] for _, end in steps(program)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("#1=1\nWHILE[#1LE3]DO1\nG0 X#1\n#1=#1+1\nEND1", [1, 2, 3]),
        ("#1=2\nN10 G0 X#1\n#1=#1*2\nIF[#1LT 10]GOTO10", [2, 4, 8]),
        ("#1=3\nIF[#1EQ3]THEN#2=7.5\nIF[#1NE3]THEN#2=1\nG0 X#2", [7.5]),
        ("GOTO 30\nG0 X1\nN30 G0 X4", [4]),
        ("#5=20\nGOTO #5\nG0 X1\nN20 G0 X6", [6]),
        (
            (
                "#1=2\nWHILE[#1GT0]DO1\n#2=2\nWHILE[#2GT0]DO2\nG0 X[#1*10+#2]\n#2=#2-1\nEND2\n"
                "#1=#1-1\nEND1"
            ),
            [22, 21, 12, 11],
        ),
        ("IF[#9EQ#0]GOTO5\nG0 X1\nN5 G0 X2", [2]),
        ("#9=0\nIF[#9EQ#0]GOTO5\nG0 X1\nN5 G0 X2", [1, 2]),
        ("IF[#9EQ#0]THEN#3=4\nG0 X#3 Y#9\nG0 X-#9", [4]),
        ("IF[1EQ1]THEN#1=FIX[-2.5]\nG0 X#1\nX[FUP[-2.1]]", [-2, -3]),
        ("#3=POW[2,5]-SQR[49]\nG0 X#3", [25]),
        ("#3=2*[1+3]-6/4\nG0 X#3", [6.5]),
        ("#3=ATAN[8]/[8]\nG0 X#3", [45]),
        ("IF[[6AND3]EQ2]THEN#1=[6OR3]\nG0 X#1", [7]),
        ("#1=5\nDPRNT[X#1[44]]\nPOPEN\nG0 X#1\nPCLOS", [5]),
        ("G65 P77 A3. L2\nG0 X9\nM30\nO77\nG0 X#1\nM99", [3, 3, 9]),
        ("#1=8\nG65 P77 I1. J2. I5. K6.\nG0 X#1\nM30\nO77\nG0 X#4\nX#7\nX#9\nM99", [1, 5, 6, 8]),
        ("M98 P77\nG0 X1\nN40 X2\nM30\nO77\nG0 X5\nM99 P40", [5, 2]),
        ("G91\nM97 P600 L2\nM30\nN600 G0 X4\nM99", [4, 8]),
        ("GOTO5\nN5 G1 X3\nG0 X[#5001+1]\nX[#5041+#4003]", [3, 4, 94]),
    ],
)
def test_a_macro_goes_where_its_statements_say(body: str, expected: list[float]) -> None:
    assert ends(body) == pytest.approx(expected)


def test_a_block_number_is_looked_for_in_its_own_program() -> None:
    program = read_text(
        "O1\nG21 G90\nGOTO10\nG0 X1\nN10 G0 X2\nM98 P2\nM30\nO2\nGOTO10\nG0 X3\nN10 G0 X4\nM99\n"
    )

    assert [end[0] for _, end in steps(program)] == [2, 4]


def test_a_macro_of_the_control_is_warned_about_and_takes_the_time_of_a_builders_code() -> None:
    program = milled("G65 P9810 Z5.", Limits(builders_own_s=3.0, tool_change_s=0.0))

    assert not program.refused
    assert any("macro O9810 is not in this file" in text for text in warnings(program))
    assert program.duration_s == pytest.approx(3.0)


def test_a_value_that_only_the_machine_has_is_warned_about_once() -> None:
    program = milled("IF[#510GT3]GOTO5\nG0 X1\nIF[#510GT4]GOTO5\nN5 G0 X2")

    assert sum("#510 is not set by the program" in text for text in warnings(program)) == 1


def test_a_macros_stop_waits_and_its_alarm_is_warned_about() -> None:
    program = milled("IF[1EQ1]THEN#3006=1\nG0 X1\n#3000=12")

    assert Kind.STOP in [move.kind for move in moves(program)]
    assert any("alarm 12" in text for text in warnings(program))


ENDLESS = [
    "o1 do\nG38.3 Z-3 F50\no1 while [#4000 EQ 0]",
    "o1 while [1]\nG0 X1\nX0\n#1=[#1+1]\no1 endwhile",
    "WHILE[#1LT5]DO1\nG0 X1\nX0\n#2=#2+1\nEND1",
    "#1=9\nWHILE[#1GT0]DO1\nG0 X#1\n#1=#1+1\nEND1",
    "#1=0\nWHILE[#1NE7]DO1\n#1=#1+2\nG0 X#1\nEND1",
    "N7 G0 X1\nX0\nGOTO7",
    "N7 #1=#1+1\nIF[#1GT0]GOTO7",
    "DO2\nG4 P1\nEND2",
]


@pytest.mark.parametrize("body", ENDLESS)
def test_a_loop_without_an_end_is_given_up_within_a_second(body: str) -> None:
    begun = process_time()
    program = milled(body)

    assert process_time() - begun < 1.0
    assert errors(program) == ["this loop never ends: reading stops here"]


def test_a_loop_that_ends_is_read_to_its_end() -> None:
    flag = "#30=0\n#1=0\nWHILE[#30EQ0]DO1\nG0 X#1\n#1=#1+1\nIF[#1GE6000]THEN#30=1\nEND1"
    nested = "#1=0\nWHILE[#1LT120]DO1\n#2=0\nWHILE[#2LT60]DO2\nG0 X#2\n#2=#2+1\nEND2\n#1=#1+1\nEND1"

    assert len(ends(flag)) == 6000
    assert len(ends(nested)) == 7200


def test_a_loop_that_waits_for_a_touch_ends_when_the_probe_has_moved() -> None:
    program = milled("o1 do\nG38.3 Z-8 F80\no1 while [#5070 EQ 0]\nG0 Z[#5063+2]")

    assert errors(program) == []
    assert steps(program)[-1][1][2] == -6
