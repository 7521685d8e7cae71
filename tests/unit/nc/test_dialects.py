"""Each control reads the same codes in its own way. Expected values are worked out by hand."""

import pytest

from cnc_station.engine.domain.nc import Kind, Limits, Program, read
from cnc_station.engine.domain.nc.dialect import Certainty, Dialect, spelled
from cnc_station.engine.domain.nc.dialects import (
    ALL,
    BY_NAME,
    FANUC_LATHE_A,
    FANUC_MILL,
    GRBL,
    HAAS_LATHE,
    HAAS_MILL,
    LINUXCNC,
    SIEMENS_ISO,
)
from tests.unit.nc.programs import errors, moves, read_text, steps, warnings

MILLING = "G21 G90 G17 G94\nT1 M6\nS1000 M3\nF600\n"


def milled(body: str, dialect: Dialect) -> Program:
    return read_text(f"{MILLING}{body}\nM30\n", Limits(dialect=dialect))


def waits(program: Program) -> list[float]:
    return [move.seconds for move in moves(program) if move.kind is Kind.DWELL]


@pytest.mark.parametrize(
    ("dialect", "word", "seconds"),
    [
        (LINUXCNC, "P2", 2.0),
        (GRBL, "P2.", 2.0),
        (FANUC_MILL, "P2000", 2.0),
        (FANUC_MILL, "P2.", 2.0),
        (HAAS_MILL, "P250", 0.25),
        (HAAS_MILL, "P0.25", 0.25),
        (FANUC_MILL, "X1.5", 1.5),
        (SIEMENS_ISO, "P300", 0.3),
    ],
)
def test_a_dwell_has_the_unit_of_its_control(dialect: Dialect, word: str, seconds: float) -> None:
    assert waits(milled(f"G4 {word}", dialect)) == [pytest.approx(seconds)]


def test_the_dwell_of_a_cycle_has_the_same_unit_for_every_hole() -> None:
    body = "G0 Z5.\nG82 X1. Y1. Z-1. R1. P300\nX2.\nX3. P500\nG80"

    assert waits(milled(body, FANUC_MILL)) == pytest.approx([0.3, 0.3, 0.5])
    assert waits(milled(body.replace("P", "P0."), LINUXCNC)) == pytest.approx([0.3, 0.3, 0.5])


def test_the_number_of_a_subprogram_or_offset_is_not_a_time() -> None:
    body = "G0 Z5.\nG82 X1. Y1. Z-1. R1. P300\nG154 P7 X2.\nG80"
    program = milled(body, HAAS_MILL)

    assert errors(program) == []
    assert waits(program) == pytest.approx([0.3, 0.3])


@pytest.mark.parametrize("code", ["G5 P10000", "G05.1 Q1", "G08 P1", "G22", "G23", "G63"])
def test_codes_that_change_no_path_are_read_over(code: str) -> None:
    program = milled(f"{code}\nG1 X10. Y1.", FANUC_MILL)

    assert errors(program) == warnings(program) == []
    assert not program.lathe


def test_fine_boring_feeds_in_and_leaves_in_rapid() -> None:
    made = steps(milled("G0 Z5.\nG98 G76 X8. Y8. Z-6. R1. Q0.2\nG80", FANUC_MILL))

    assert [(kind, end[2]) for kind, end in made[2:]] == [
        (Kind.RAPID, 1),
        (Kind.FEED, -6),
        (Kind.RAPID, 5),
    ]


def test_pecks_shrink_to_the_smallest() -> None:
    ends = [
        end[2]
        for kind, end in steps(milled("G0 Z2.\nG83 X5. Z-20. R0. I9. J3. K4.\nG80", HAAS_MILL))
        if kind is Kind.FEED
    ]

    assert ends == pytest.approx([-9, -15, -19, -20])
    assert "needs a peck depth Q" in errors(milled("G83 X5. Z-20. R0. I9. J3. K4.", FANUC_MILL))[0]


@pytest.mark.parametrize("code", ["G110", "G129"])
def test_haas_writes_more_work_offsets_as_codes(code: str) -> None:
    program = read_text(f"{MILLING}{code}\nG0 X1. Y1.\n%\n", Limits(dialect=HAAS_MILL))

    assert errors(program) == []
    assert f"leaves {code} in force" in " ".join(warnings(program))


def test_g53_is_a_rapid_of_its_own_on_fanuc_only() -> None:
    body = "G0 Z5.\nG81 X1. Y1. Z-1. R1.\nG80\nG53 Z0."

    assert steps(milled(body, FANUC_MILL))[-1][0] is Kind.HOME
    assert errors(milled(body, LINUXCNC)) == ["G53 needs G0 or G1"]


def test_a_program_that_begins_without_a_motion_code_is_in_rapid_where_that_is_the_rule() -> None:
    body = "X12. Y8.\nG1 Z-1."

    assert steps(milled(body, GRBL))[0] == (Kind.RAPID, (12, 8, 0))
    assert "without a motion" in errors(milled(body, LINUXCNC))[0]


def test_g71_is_metric_for_siemens_and_roughing_for_a_lathe() -> None:
    program = read_text("G70 G90 G17\nT1 M6\nS1 M3 F9\nG0 X1 Y1\nM30", Limits(dialect=SIEMENS_ISO))

    assert errors(program) == []
    assert steps(program)[0][1] == pytest.approx((25.4, 25.4, 0))


@pytest.mark.parametrize(
    ("dialect", "code", "what"),
    [
        (FANUC_MILL, "G12.1", "polar interpolation"),
        (FANUC_LATHE_A, "G112", "polar interpolation"),
        (HAAS_MILL, "G101", "a mirror image"),
        (FANUC_MILL, "G7.1", "cylindrical interpolation"),
    ],
)
def test_what_is_not_supported_is_named(dialect: Dialect, code: str, what: str) -> None:
    program = read_text(f"G21\n{code}\nM30", Limits(dialect=dialect))

    assert f"{code} ({what}) is not supported" in errors(program)


def test_codes_of_the_second_spindle_make_the_time_doubtful() -> None:
    program = read_text("G21\nT101\nG14\nG97 S100 M3\nG0 X1. Z1.\nM30", Limits(dialect=HAAS_LATHE))

    assert errors(program) == []
    assert "G14: what the second spindle does is not timed" in warnings(program)
    assert program.doubtful


TURNING = "%\nO7\nT{}\n{} S1800\nG96 S90 M3\n{}\nG0 X40. Z2.\n{}\nM30\n%"
CUTTING = "G21 G90 G17\nT1 M6\nS1 M3 F9\nG0 X1 Y1\nG1 X2\nM30"
MARKED = {
    "fanuc-mill": "%\nO12 (LID)\nG40 G49 G80\nT1 M6\nG43 H1 Z9.\nG1 X1. Y2. F9.\nM30\n%",
    "haas-mill": "%\nO12\nT1 M6\nG154 P2\nG43 H1 Z9.\nG1 X1. Y2. F9.\nM30\n%",
    "fanuc-lathe-a": TURNING.format("0303", "G50", "G99", "G1 Z-9. F0.2"),
    "fanuc-lathe-b": TURNING.format("0303", "G92", "G95", "G77 X38. Z-9. F0.2"),
    "haas-lathe": TURNING.format("303", "G50", "", "G71 P1 Q2 D1.5 F0.2\nN1 G0 X9.\nN2 G1 Z-9."),
    "linuxcnc": "o<hole> sub\nG0 Z1\no<hole> endsub\nG21 G90 G64 P0.01\no<hole> call\nM2",
    "grbl": f"$H\n{CUTTING}",
    "siemens-iso": f"%_N_LID_MPF\nG71\n{CUTTING}",
    "mach": f"(Mach3 post)\n{CUTTING}",
    "tormach": f"(PathPilot)\n{CUTTING}",
}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_marks_of_a_control_give_it_away(name: str) -> None:
    reading = read(MARKED[name].encode()).reading

    assert reading.dialect is BY_NAME[name]
    assert reading.certainty is Certainty.CLEAR
    assert reading.reasons


def test_a_program_without_marks_is_read_as_linuxcnc_and_says_that_this_is_assumed() -> None:
    reading = read(b"G21 G90\nS1 M3 F9\nG0 X1 Y1\nG1 X2\nM2").reading

    assert (reading.dialect, reading.certainty) == (LINUXCNC, Certainty.ASSUMED)


def test_a_chosen_dialect_is_not_guessed_again() -> None:
    text = MARKED["fanuc-lathe-a"]
    reading = read(text.encode(), limits=Limits(dialect=HAAS_LATHE)).reading

    assert (reading.dialect, reading.certainty) == (HAAS_LATHE, Certainty.CHOSEN)


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_every_table_names_its_manual_and_translates_into_codes_that_the_reader_knows(
    dialect: Dialect,
) -> None:
    assert dialect.manual
    limits = Limits(dialect=dialect)
    for code in dialect.means:
        program = read_text(f"G21\nS9 M3 F9\nG0 X9. Z9.\n{spelled(code)}\nM30", limits)
        assert not any("known code" in found for found in errors(program)), code
