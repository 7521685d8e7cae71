"""The cycles of Fanuc and Haas lathes: length, box and time against arithmetic by hand.

X words are diameters, the moves radii in mm. The rapid rate is 6,000 mm/min: 100 mm a second.
"""

from math import hypot, pi, sqrt

import pytest

from cnc_station.engine.domain.nc import Kind, Limits, Program
from cnc_station.engine.domain.nc.dialect import Dialect
from cnc_station.engine.domain.nc.dialects import FANUC_LATHE_A, FANUC_LATHE_B, HAAS_LATHE
from tests.unit.nc.programs import errors, moves, read_text, steps, warnings

CUTS = {Kind.FEED, Kind.ARC}


def turned(body: str, dialect: Dialect = FANUC_LATHE_A, head: str = "G97 S1000 M3") -> Program:
    limits = Limits(dialect=dialect, rapid_mm_min=6000.0, tool_change_s=0.0)
    feed = "G99" if dialect is not FANUC_LATHE_B else "G95"
    return read_text(f"O1\nG21\nT0101\n{head}\n{feed}\n{body}\nM30\n", limits)


def cut_seconds(program: Program) -> float:
    return sum(move.seconds for move in moves(program) if move.kind in CUTS)


def cuts(program: Program) -> list[tuple[float, float]]:
    return [(round(m.end[0], 4), round(m.end[2], 4)) for m in moves(program) if m.kind in CUTS]


@pytest.mark.parametrize(
    ("dialect", "code"), [(FANUC_LATHE_A, "G90"), (FANUC_LATHE_B, "G77"), (HAAS_LATHE, "G90")]
)
def test_a_turning_pass_repeats_at_each_new_diameter(dialect: Dialect, code: str) -> None:
    program = turned(f"G0 X50. Z2.\n{code} X44. Z-20. F0.25\nX40.\nG0 X60.", dialect)

    assert errors(program) == []
    assert cuts(program) == [(22, -20), (25, -20), (20, -20), (25, -20)]
    assert program.feed_mm == pytest.approx(22 + 3 + 22 + 5)
    assert cut_seconds(program) == pytest.approx(52 / (0.25 * 1000) * 60)
    assert steps(program)[-1] == (Kind.RAPID, (30, 0, 2))


def test_a_tapered_pass_begins_at_the_taper() -> None:
    program = turned("G0 X50. Z2.\nG90 X40. Z-20. R-4. F0.2")

    assert steps(program)[1][1] == (16, 0, 2)
    assert program.feed_mm == pytest.approx(hypot(4, 22) + 5)


def test_a_facing_pass_cuts_along_x() -> None:
    program = turned("G0 X50. Z5.\nG94 X10. Z3. F0.2\nZ1.")

    assert cuts(program) == [(5, 3), (5, 5), (5, 1), (5, 5)]
    assert program.feed_mm == pytest.approx(20 + 2 + 20 + 4)


def test_g90_without_a_position_is_the_distance_mode_of_a_safety_line() -> None:
    program = turned("G90 G40\nG0 X50. Z2.\nG1 Z-10. F0.2")

    assert errors(program) == []
    assert program.feed_mm == pytest.approx(12)


def test_a_thread_cycle_cuts_at_its_lead() -> None:
    program = turned("G0 X24. Z4.\nG92 X19.2 Z-16. F2.\nX18.6\nX18.2\nG0 X50.")

    assert cuts(program) == [(9.6, -16), (9.3, -16), (9.1, -16)]
    assert cut_seconds(program) == pytest.approx(3 * 20 / (2 * 1000) * 60)


def test_surface_speed_is_capped_by_g50() -> None:
    program = turned("G50 S1500\nG96 S120\nG0 X40. Z0.\nG1 Z-10. F0.2\nG0 X10.\nG1 Z-20. F0.2")
    speeds = [move.spindle for move in moves(program) if move.kind is Kind.FEED]

    assert speeds == pytest.approx([120_000 / (pi * 40), 1500])


def test_g50_with_a_position_presets_it_without_a_move() -> None:
    program = turned("G0 X0. Z0.\nG50 X100. Z50. S900\nG0 X90. Z40.")

    assert [end for _, end in steps(program)] == [(0, 0, 0), (-5, 0, -10)]


PROFILE = "N10 G0 X20.\nG1 Z-10. F0.1\nX40. Z-20.\nN20 X50.\n"


def test_g71_roughs_level_by_level_and_follows_the_profile() -> None:
    program = turned(f"G0 X50. Z0.\nG71 U5. R1.\nG71 P10 Q20 U2. W0. F0.25\n{PROFILE}G0 X60.")

    # The profile with 1 mm more radius: (11, 0), (11, -10), (21, -20), (26, -20).
    # Levels: 20 and 15 of radius, to the slope: at 20 it is at Z-19, at 15 at Z-14.
    straight = 19 + 14
    contour = 10 + hypot(10, 10) + 5
    assert errors(program) == []
    assert cuts(program)[:2] == [(20, -19), (15, -14)]
    assert program.feed_mm == pytest.approx(straight + contour)
    assert cut_seconds(program) == pytest.approx((straight + contour) / 250 * 60)
    assert steps(program)[-2] == (Kind.RAPID, (25, 0, 0))


def test_g70_finishes_with_the_feed_of_the_profile_and_returns() -> None:
    program = turned(f"G0 X50. Z0.\nG71 U5. R1.\nG71 P10 Q20 U2. W0. F0.25\n{PROFILE}G70 P10 Q20")
    rough = turned(f"G0 X50. Z0.\nG71 U5. R1.\nG71 P10 Q20 U2. W0. F0.25\n{PROFILE}")

    finish = 10 + hypot(10, 10) + 5
    assert program.feed_mm - rough.feed_mm == pytest.approx(finish)
    assert cut_seconds(program) - cut_seconds(rough) == pytest.approx(finish / 100 * 60)
    assert steps(program)[-1] == (Kind.RAPID, (25, 0, 0))


def test_one_block_g71_of_haas_and_of_older_fanuc() -> None:
    one = f"G0 X50. Z0.\nG71 P10 Q20 U2. W0. D{{}} F0.25\n{PROFILE}"

    expected = 19 + 14 + 10 + hypot(10, 10) + 5
    assert turned(one.format("5."), HAAS_LATHE).feed_mm == pytest.approx(expected)
    assert turned(one.format("5000"), FANUC_LATHE_A).feed_mm == pytest.approx(expected)


def test_g71_bores_from_the_inside() -> None:
    profile = "N10 G0 X40.\nG1 Z-10.\nN20 X20.\n"
    program = turned(f"G0 X20. Z0.\nG71 U4. R1.\nG71 P10 Q20 U-2. W0. F0.2\n{profile}")

    # Radius 19 all along 10 mm; levels at 14 and 18.
    assert cuts(program)[:2] == [(14, -10), (18, -10)]
    assert program.feed_mm == pytest.approx(10 + 10 + 10 + 10)


def test_g71_goes_around_a_pocket() -> None:
    profile = "N10 G0 X40.\nG1 Z-10.\nX30. Z-15.\nZ-20.\nX40. Z-25.\nZ-30.\nN20 X50.\n"
    program = turned(f"G0 X50. Z0.\nG71 U2.5 R0.5\nG71 P10 Q20 U0 W0 F0.2\n{profile}")

    # Level 22.5 runs 30 mm; 20 and 17.5 only cross the pocket, 15 and 10 mm.
    contour = 10 + hypot(5, 5) + 5 + hypot(5, 5) + 5 + 5
    assert errors(program) == []
    assert program.feed_mm == pytest.approx(30 + 15 + 10 + contour)


def test_g72_faces_level_by_level() -> None:
    profile = "N10 G0 Z-8.\nG1 X20. F0.1\nN20 Z0.\n"
    program = turned(f"G0 X50. Z0.\nG72 W3. R1.\nG72 P10 Q20 U0 W0 F0.2\n{profile}")

    assert cuts(program)[:2] == [(10, -3), (10, -6)]
    assert program.feed_mm == pytest.approx(15 + 15 + 15 + 8)


def test_g73_repeats_the_profile_nearer_each_time() -> None:
    program = turned(f"G0 X60. Z5.\nG73 U6. W2. R3\nG73 P10 Q20 U0 W0 F0.2\n{PROFILE}")

    firsts = [end for kind, end in steps(program) if kind is Kind.RAPID and end[0] < 20]
    assert firsts == [(16, 0, 7), (13, 0, 6), (10, 0, 5)]
    assert program.feed_mm == pytest.approx(3 * (15 + hypot(10, 10) + 5))


@pytest.mark.parametrize(
    ("dialect", "words"), [(FANUC_LATHE_A, "P2000 Q4000"), (HAAS_LATHE, "I2. K4.")]
)
def test_g75_pecks_grooves_side_by_side(dialect: Dialect, words: str) -> None:
    program = turned(f"G0 X40. Z-10.\nG75 R0.5\nG75 X30. Z-18. {words} F0.1", dialect)

    # Three grooves at Z-10, -14, -18: pecks to radius 18, 16, 15, each 0.5 mm back between.
    groove = 2 + 2.5 + 1.5
    assert errors(program) == []
    assert program.feed_mm == pytest.approx(3 * groove)
    assert cut_seconds(program) == pytest.approx(3 * groove / 100 * 60)
    assert sorted({end[2] for kind, end in steps(program) if kind is Kind.FEED}) == [-18, -14, -10]


def test_g74_drills_with_chip_breaking() -> None:
    program = turned("G0 X0. Z2.\nG74 R1.\nG74 Z-20. Q5000 F0.1")

    # 22 mm in pecks of 5: four go back 1 mm.
    assert program.feed_mm == pytest.approx(22 + 4)
    assert steps(program)[-1] == (Kind.RAPID, (0, 0, 2))


def test_g76_of_two_blocks() -> None:
    program = turned("G0 X22. Z4.\nG76 P020060 Q50 R0.02\nG76 X16.6 Z-16. P920 Q300 F1.5")

    # Root 8.3 mm; height 0.92: 0.3 * sqrt(n) up to 0.90, then twice at 0.92.
    rough = [0.3 * sqrt(n) for n in range(1, 9)]
    depths = [*rough, 0.9, 0.92, 0.92]
    assert errors(program) == []
    assert [x for x, _ in cuts(program)] == pytest.approx(
        [8.3 + 0.92 - d for d in depths], abs=1e-3
    )
    assert cut_seconds(program) == pytest.approx(11 * 20 / (1.5 * 1000) * 60)


def test_g76_of_one_block() -> None:
    program = turned("G0 X22. Z4.\nG76 X16. Z-16. K1. D0.5 F2.", HAAS_LATHE)

    depths = [0.5, 0.5 * sqrt(2), 0.5 * sqrt(3), 1.0]
    assert [x for x, _ in cuts(program)] == pytest.approx([9 - d for d in depths], abs=1e-3)


@pytest.mark.parametrize("plane", ["", "G18\n", "G17\n"])
def test_drilling_is_along_z_in_any_plane(plane: str) -> None:
    program = turned(f"{plane}G0 X0. Z5.\nG83 Z-12. R2. Q4. F0.1\nG80", HAAS_LATHE)
    ends = [end[2] for kind, end in steps(program) if kind is Kind.FEED]

    assert errors(program) == []
    assert ends == pytest.approx([-2, -6, -10, -12])


def test_q_of_a_drilling_cycle_counts_micrometres_and_r_from_the_start_on_fanuc() -> None:
    program = turned("G0 X0. Z5.\nG83 Z-12. R-3. Q4000 F0.1\nG80")

    ends = [end[2] for kind, end in steps(program) if kind is Kind.FEED]
    assert ends == pytest.approx([-2, -6, -10, -12])


def test_a_tap_goes_in_and_out_at_its_lead() -> None:
    program = turned("G0 X0. Z5.\nG84 Z-15. R2. F1.25\nG80", HAAS_LATHE)

    assert cut_seconds(program) == pytest.approx(2 * 17 / (1.25 * 1000) * 60)


def test_side_drilling_is_along_x() -> None:
    program = turned("G0 X60. Z-8.\nG87 X30. R-2. F0.1\nG80")

    assert cuts(program) == [(15, -8)]
    assert program.feed_mm == pytest.approx(28 - 15)
    assert steps(program)[-1][1] == (30, 0, -8)


def test_an_arc_by_r_is_a_radius_between_diameters() -> None:
    program = turned("G0 X30. Z0.\nG3 X40. Z-5. R5. F0.1")

    assert program.feed_mm == pytest.approx(pi / 2 * 5)


def test_the_profile_of_another_operation_with_the_same_numbers_is_not_taken() -> None:
    one = "G71 U5. R1.\nG71 P10 Q20 U0 W0 F0.2\nN10 G0 X{}\nN20 G1 Z-10.\nG70 P10 Q20\n"
    program = turned(f"G0 X50. Z0.\n{one.format('30.')}{one.format('20.')}")

    finishing = [m.end[0] for m in moves(program) if m.kind is Kind.FEED and m.line in {10, 15}]
    assert finishing[-1] == 10
    assert 15 in finishing


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("G71 U2. R1.\nG71 P7 Q8 U1. W0 F0.2", "N7 is not in this file"),
        ("G71 U2. R1.\nG71 P10 Q20 U1. F0.2\nN10 M8\nN20 M9", "make no moves"),
        ("G71 U0.00001 R1.\nG71 P10 Q20 U1. F0.2\nN10 G0 X2.\nN20 G1 Z-9.", "too small"),
        ("G76 P010060 Q10 R0.1\nG76 X20. Z-9. P900 Q0 F1.", "depth of the first cut"),
        ("G75 X20. Z-9. P1 Q1 F.1", "too small"),
        ("S0\nM5\nG92 X20. Z-9. F1.", "G92 with the spindle stopped"),
        ("S0\nM5\nG1 X20. F0.1", "feed per revolution (G99) with the spindle stopped"),
        ("G92 X20. Z-9. F0", "G92 needs a lead F"),
        ("G50 S0", "must be more than zero"),
    ],
)
def test_a_cycle_that_cannot_be_cut_is_refused(body: str, why: str) -> None:
    program = turned(f"G0 X50. Z0.\n{body}")

    assert any(why in message for message in errors(program)), errors(program)


def test_profile_lines_give_no_findings_of_their_own() -> None:
    program = turned(f"G0 X50. Z0.\nG71 U5. R1.\nG71 P10 Q20 U2. W0. F0.25\n{PROFILE}G70 P10 Q20")

    assert errors(program) == warnings(program) == []
    assert program.lathe
    assert program.bounds is not None
    assert (program.bounds.low[2], program.bounds.high[0]) == (-20, 26)


def test_cycles_that_call_each_other_end() -> None:
    loop = "N10 G70 P10 Q20\nN20 G70 P10 Q20\n" * 50

    assert turned(loop).lines
    assert turned(
        "G0 X50. Z0.\n" + "G71 U5.\nG71 P10 Q20 F1\nN10 G0 X2.\nN20 G1 Z-9.\n" * 200
    ).lines


def test_a_spindle_started_by_the_builders_code_makes_the_time_doubtful() -> None:
    program = turned("M5\nG0 X50. Z0.\nG1 Z-10. F0.1\nG92 X48. Z-15. F1.")

    assert errors(program) == []
    assert program.doubtful
    assert cut_seconds(program) == pytest.approx(10 / 100 * 60 + 5 / 1000 * 60, rel=0.2)


def test_a_depth_of_cut_that_the_control_keeps_makes_the_time_doubtful() -> None:
    program = turned(f"G0 X50. Z0.\nG71 P10 Q20 U2. W0. F0.25\n{PROFILE}")

    assert errors(program) == []
    assert program.doubtful
    assert cuts(program)[0][0] == 23
