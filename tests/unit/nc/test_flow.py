"""Programs that call, loop and branch, and what they compute."""

import pytest

from cnc_station.engine.domain.nc import Limits
from tests.unit.nc.programs import errors, milled, moves, read_text, steps, warnings


def ends(body: str) -> list[float]:
    """The X each move of a program ends at."""
    program = milled(body)
    assert errors(program) == []
    return [end[0] for _, end in steps(program)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[1+2*3]", 7.0),
        ("[[1+2]*3]", 9.0),
        ("[2+3*4-2**3/4]", 12.0),
        ("[7 mod 4]", 3.0),
        ("[10-2-3]", 5.0),
        ("[12/2*3]", 18.0),
        ("[-7 mod 3]", 2.0),
        ("-[2]", -2.0),
        ("[1 lt 2 and 3 gt 2]", 1.0),
        ("[1 eq 1 xor 1]", 0.0),
        ("sin[30]", 0.5),
        ("atan[1]/[1]", 45.0),
        ("fix[-2.5]", -3.0),
        ("fup[2.1]", 3.0),
        ("round[2.5]", 3.0),
        ("sqrt[16]", 4.0),
        ("exists[#<nothing>]", 0.0),
        ("#7", 0.0),
    ],
)
def test_an_expression_has_the_value_linuxcnc_gives_it(expression: str, value: float) -> None:
    assert ends(f"G0 X-9\nX{expression}")[1] == pytest.approx(value)


def test_parameters_keep_what_they_are_set_to() -> None:
    assert ends("#1=5\n#<depth>=[#1+2]\nG0 X#1\nX#<depth>\n#2=1\nX##2") == [5, 7, 5]


def test_a_parameter_set_in_a_block_holds_from_the_next_one() -> None:
    assert ends("#1=5\nG0 X#1 #1=6\nX#1") == [5, 6]


def test_m98_runs_a_subprogram_of_the_file_as_often_as_l_says() -> None:
    program = read_text("O1\nG21 G0 X1\nM98 P200 L3\nG90 X0\nM30\nO200\nG91 G0 X5\nM99\n")

    assert errors(program) == []
    assert [end[0] for _, end in steps(program)] == [1, 6, 11, 16, 0]
    assert [move.line for move in moves(program)] == [2, 7, 7, 7, 4, 5]


def test_an_old_spelling_of_m98_counts_in_front_of_the_number() -> None:
    program = read_text("O1\nG21 G91\nM98 P30200\nM30\nO0200\nG0 X5\nM99\n")

    assert [end[0] for _, end in steps(program)] == [5, 10, 15]


def test_a_subroutine_has_its_own_parameters_and_returns_a_value() -> None:
    assert ends(
        "o<row> sub\nG0 X#1\n#1=99\no<row> endsub [#2*2]\n"
        "#1=3\no<row> call [7] [8]\nG0 X#1\nX#<_value>"
    ) == [7, 3, 16]


def test_loops_end_when_their_condition_says() -> None:
    assert ends("o1 while [#1 lt 3]\n#1=[#1+1]\nG0 X#1\no1 endwhile") == [1, 2, 3]
    assert ends("o1 do\n#1=[#1+1]\nG0 X#1\no1 while [#1 lt 3]") == [1, 2, 3]
    assert ends("G91\no1 repeat [2]\nG0 X1\no1 endrepeat") == [1, 2]


def test_loops_are_left_and_shortened() -> None:
    body = (
        "o1 while [1]\n#1=[#1+1]\no2 if [#1 eq 2]\no1 continue\no2 endif\nG0 X#1\n"
        "o3 if [#1 ge 4]\no1 break\no3 endif\no1 endwhile"
    )
    assert ends(body) == [1, 3, 4]


@pytest.mark.parametrize(("value", "end"), [(1, 10), (2, 20), (3, 30)])
def test_one_branch_is_taken(value: int, end: float) -> None:
    body = "o1 if [#1 eq 1]\nG0 X10\no1 elseif [#1 eq 2]\nG0 X20\no1 else\nG0 X30\no1 endif"
    assert ends(f"#1={value}\n{body}") == [end]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("M98 P5", "subprogram O5 is not in this file"),
        ("M98", "M98 needs the number"),
        ("o1 call", "subroutine O1 is not in this file"),
        ("o1 while [1]\nG0 X1", "O1 while has no counterpart"),
        ("G0 X1\no1 endif", "O1 endif has no counterpart"),
        ("o1 break", "O1 break has no counterpart"),
        ("o1 if [1]\no1 else", "O1 if has no counterpart"),
        ("o1 return", "outside a called subroutine"),
        ("IF [#1 EQ #0] GOTO 10", "there is no block N10 to go to"),
        ("GOTO 10", "there is no block N10 to go to"),
        ("WHILE [#1 LT 2] DO 1", "this loop has no END"),
        ("END 2", "this END has no WHILE or DO"),
        ("IF [#1 EQ #0]", "IF without THEN or GOTO"),
        ("#0 = 2", "#0 is always empty"),
        ("G0 X#<a>", "#<a> is used before it is set"),
        ("G0 X[1/0]", "the expression has no value"),
        ("G0 X[sqrt[-1]]", "the expression has no value"),
        ("G0 X[[-8]**0.5]", "out of range"),
        ("G0 X[1e", "a bracket is not closed"),
        ("G0 X[1", "a bracket is not closed"),
        ("G0 X" + 99 * "[" + "1" + 99 * "]", "nested too deeply"),
        ("#1", "#1 is incomplete"),
        ("G[1.55]", "not a known code"),
    ],
)
def test_what_cannot_be_worked_out_is_refused(body: str, part: str) -> None:
    assert any(part in message for message in errors(milled(body)))


@pytest.mark.parametrize(
    "body",
    ["o1 while [1]\no1 endwhile", "o1 do\no1 while [1]", "o1 sub\no1 call\no1 endsub\no1 call"],
)
def test_a_program_without_an_end_is_stopped(body: str) -> None:
    program = milled(f"G0 X1\n{body}", Limits(max_repeated_blocks=1000))

    assert program.refused


def test_a_wrong_block_in_a_loop_is_named_once() -> None:
    program = milled("o1 repeat [5]\nG1 X1 E5\no1 endrepeat")

    assert errors(program) == ["E is not a known word"]


def test_m99_in_the_main_program_is_read_once() -> None:
    program = read_text("G21 G90\nG0 X1\nM99\n")

    assert len(steps(program)) == 1
    assert "read once" in warnings(program)[0]
