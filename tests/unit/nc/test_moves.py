from math import pi

import pytest

from cnc_station.engine.domain.nc import Bounds, Kind, Limits, Units
from tests.unit.nc.programs import errors, milled, moves, read_text, steps, warnings


def test_a_clean_program_has_no_findings() -> None:
    program = milled("G0 X10 Y10 Z5\nG1 Z-1\nX20\nG0 Z5")

    assert program.findings == ()
    assert program.tools == (1,)
    assert program.units is Units.MM
    assert not program.lathe


def test_a_feed_takes_its_length_over_its_feed() -> None:
    program = milled("G1 X30 Y40 F300")

    (cut,) = [move for move in moves(program) if move.kind is Kind.FEED]
    assert cut.seconds == pytest.approx(10.0)
    assert (cut.feed, cut.spindle, cut.tool, cut.line) == (300.0, 1000.0, 1, 5)
    assert program.feed_mm == pytest.approx(50.0)


def test_a_rapid_takes_the_machines_rapid_rate() -> None:
    program = milled("G0 X100", Limits(rapid_mm_min=6000, tool_change_s=7))

    assert program.duration_s == pytest.approx(1.0 + 7.0)
    assert program.rapid_mm == pytest.approx(100.0)


def test_inches_become_millimetres_feed_included() -> None:
    program = read_text("G20 G90 S1 M3\nG1 X1 F10\nM2")

    assert steps(program) == [(Kind.FEED, (25.4, 0.0, 0.0))]
    assert program.duration_s == pytest.approx(6.0)
    assert program.units is Units.INCH


def test_a_full_circle_needs_its_centre_alone_while_an_arc_is_active() -> None:
    program = milled("G3 X10 I5\nI-5")

    kinds = [move.kind for move in moves(program)]
    assert kinds.count(Kind.ARC) == 2
    assert program.feed_mm == pytest.approx(5 * pi + 10 * pi)
    assert program.moves.end(len(program.moves) - 1) == (10.0, 0.0, 0.0)


def test_motion_codes_and_feeds_are_modal() -> None:
    assert steps(milled("G1 X1\nY2\nG0 Z3\nX4")) == [
        (Kind.FEED, (1.0, 0.0, 0.0)),
        (Kind.FEED, (1.0, 2.0, 0.0)),
        (Kind.RAPID, (1.0, 2.0, 3.0)),
        (Kind.RAPID, (4.0, 2.0, 3.0)),
    ]


def test_spaces_case_comments_and_line_numbers_carry_no_meaning() -> None:
    plain = milled("G1 X1.5 Y-2")
    dressed = milled("n10 g 01 x 1. 5 (a ; b) y-2.0 ; done (so\r")

    assert steps(plain) == steps(dressed)
    assert dressed.findings == ()


@pytest.mark.parametrize(
    ("arc", "sweep"),
    [
        ("G2 X10 Y0 I5 J0", pi),
        ("G3 X10 Y0 I5 J0", pi),
        ("G2 X10 Y0 R5", pi),
        ("G3 X5 Y5 I5 J0", 3 * pi / 2),
        ("G2 X5 Y5 I5 J0", pi / 2),
        ("G2 X5 Y5 R5", pi / 2),
        ("G2 X5 Y5 R-5", 3 * pi / 2),
        ("G2 I5", 2 * pi),
        ("G3 I5 P3", 6 * pi),
    ],
)
def test_an_arc_of_radius_five_is_as_long_as_its_angle(arc: str, sweep: float) -> None:
    program = milled(arc)

    assert errors(program) == []
    assert program.feed_mm == pytest.approx(5 * sweep)


def test_a_helix_climbs_while_it_turns() -> None:
    program = milled("G2 X0 Y0 Z-3 I5")

    assert program.feed_mm == pytest.approx(((10 * pi) ** 2 + 9) ** 0.5)
    assert moves(program)[-2].end == (0.0, 0.0, -3.0)


def test_the_bounds_include_the_belly_of_an_arc() -> None:
    program = milled("G0 X0 Y0\nG2 X10 Y0 R5")

    assert program.bounds == Bounds((0.0, 0.0, 0.0), (10.0, 5.0, 0.0))


def test_arcs_in_the_zx_plane_turn_as_seen_from_plus_y() -> None:
    program = milled("G18 G1 X10 Z0\nG3 X0 Z10 I-10 K0")

    assert errors(program) == []
    assert program.feed_mm == pytest.approx(10 + 3 * pi / 2 * 10)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("G2 X10 Y0 I4 J0", "the arc does not close"),
        ("G2 X10 Y0 R4.9", "the arc does not close"),
        ("G2 X10 Y0", "neither a centre"),
        ("G2 X0 Y0 R5", "cannot end where it starts"),
        ("G2 X10 Y0 K5", "K cannot define"),
        ("G1 X1 E5", "E is not a known word"),
        ("G77 X1", "G77 is not a known code"),
        ("G1.5 X1", "G1.5 is not a known code"),
        ("G68 R30", "G68 (a rotated coordinate system) is not supported"),
        ("G1 X", "X has no number after it"),
        ("G1 X+.", "X+. is not a number"),
        ("G1 X-", "X- is not a number"),
        ("G1 Xnan", "X has no number after it"),
        ("G1 X1e309", "E is not a known word"),
        ("G1 X1.2.3", "cannot read '.'"),
        ("G1 X1 (open", "a comment is not closed"),
        ("G1 X1 X2", "X appears twice in one block"),
        ("G0 G1 X1", "G0 and G1 cannot be in one block"),
        ("G80\nX1", "X without a motion"),
        ("G81 X1 Z-1", "G81 needs R"),
        ("G81 X1 R1", "G81 needs Z"),
        ("G83 X1 Z-1 R1", "G83 needs a peck depth Q"),
        ("G83 X1 Z-1 R1 Q0.0000001", "Q is so small"),
        ("G4", "G4 needs a time"),
        ("G1 X99999999999", "out of range"),
    ],
)
def test_a_wrong_block_is_refused_with_its_line(body: str, part: str) -> None:
    program = milled(body)

    assert program.refused
    wrong = [finding for finding in program.findings if part in finding.message]
    assert [finding.line for finding in wrong] == [5 + body.count("\n")], program.findings


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("G21\nM3 S1\nG1 X1\nX2\nM2", 3, "cutting move without a feed rate"),
        ("", 0, "the program is empty"),
        ("%\nO77 (LID)\n%", 0, "the program does nothing"),
        (
            "\x89PNG\r\n\x1a\n" + 12 * "\x00",
            0,
            "not an NC program",
        ),
    ],
)
def test_a_wrong_program_is_refused(text: str, line: int, part: str) -> None:
    program = read_text(text)

    assert program.refused
    (wrong,) = [finding for finding in program.findings if part in finding.message]
    assert wrong.line == line


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("G90 G21\nG1 X1 F1\nM2", "spindle stopped"),
        ("G90 G21\nG0 X1", "no end"),
        ("G90\nG0 X1\nM2", "does not say mm or inch (G21 or G20 is missing): read as mm"),
        ("G21\nG0 X1\nM2", "does not say G90 or G91: read as absolute (G90)"),
        ("G90 G21 T0 M6\nG0 X1\nM2", "tool 0"),
        ("G90 G21 G41 D1\nG0 X1\nM2", "compensation"),
        ("G90 G21 G0 X1\nG4 P500\nM2", "seconds, not milliseconds"),
        ("G90 G21 G0 X1 I2\nM2", "I means nothing in this block"),
        ("G90 G21 G0 X1 R2\nM2", "R means nothing in this block"),
        ("G90 G21 G0 X1\nM8 P2\nM2", "P means nothing in this block"),
        ("G90 G21 G0 X1\nM101 P2\nM2", "the machine's own command"),
        ("G90 G21 G0 X1\nG38.2 X5 F1 S1 M3\nM2", "probing move"),
    ],
)
def test_a_doubtful_program_is_warned_about(text: str, part: str) -> None:
    program = read_text(text)

    assert not program.refused
    (warning,) = warnings(program)
    assert part in warning


@pytest.mark.parametrize(("radius", "off", "closes"), [(100, 0.05, True), (1, 0.05, False)])
def test_an_arc_may_miss_by_the_rounding_of_its_radius(
    radius: float, off: float, closes: bool
) -> None:
    program = milled(f"G2 X{2 * radius + off} I{radius}")

    assert program.refused is not closes


def test_a_rotary_axis_alone_turns_at_degrees_a_minute_in_inches_too() -> None:
    program = read_text("G20 S1 M3\nG1 A90 F360\nG91 A90\nX1 C5\nM2")

    assert [move.seconds for move in moves(program)][:2] == pytest.approx([15.0, 15.0])
    assert moves(program)[2].end == (25.4, 0.0, 0.0)
    assert program.feed_mm == pytest.approx(25.4)


def test_a_tool_change_stops_the_spindle() -> None:
    assert warnings(milled("G1 X1\nT2 M6\nX2")) == ["cutting move with the spindle stopped"]


def test_a_tool_that_is_in_already_takes_no_time_to_change() -> None:
    program = milled("T1 M6\nT2 M6\nS9 M3\nG1 X1")

    changes = [move.seconds for move in moves(program) if move.kind is Kind.TOOL_CHANGE]
    assert changes == [5.0, 0.0, 5.0]
    assert program.tools == (1, 2)


def test_stops_take_no_time_and_keep_their_place() -> None:
    program = milled("G1 X1\nM0\nX2\nM1")

    stops = [(move.kind, move.line, move.seconds) for move in moves(program)[2:-1]]
    assert stops[0] == (Kind.STOP, 6, 0.0)
    assert stops[2] == (Kind.OPTIONAL_STOP, 8, 0.0)
    assert moves(program)[-1].kind is Kind.END
