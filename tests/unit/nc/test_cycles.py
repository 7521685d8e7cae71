"""The expected moves are those LinuxCNC's interpreter makes of the same programs."""

import pytest

from cnc_station.engine.domain.nc import Kind
from tests.unit.nc.programs import errors, milled, steps, warnings

RAPID, FEED, DWELL = Kind.RAPID, Kind.FEED, Kind.DWELL


def test_g81_drills_and_g98_goes_back_to_the_level_it_came_from() -> None:
    program = milled("G0 Z10\nG98 G81 X1 Y2 Z-3 R2\nX4\nG80")

    assert steps(program)[1:] == [
        (RAPID, (1, 2, 10)),
        (RAPID, (1, 2, 2)),
        (FEED, (1, 2, -3)),
        (RAPID, (1, 2, 10)),
        (RAPID, (4, 2, 10)),
        (RAPID, (4, 2, 2)),
        (FEED, (4, 2, -3)),
        (RAPID, (4, 2, 10)),
    ]
    assert program.findings == ()


def test_g99_stays_at_the_r_plane_between_holes() -> None:
    assert steps(milled("G0 Z10\nG99 G81 X1 Y2 Z-3 R2\nX4\nG80"))[4:] == [
        (RAPID, (1, 2, 2)),
        (RAPID, (4, 2, 2)),
        (FEED, (4, 2, -3)),
        (RAPID, (4, 2, 2)),
    ]


def test_a_cycle_below_its_r_plane_rises_before_it_moves_across() -> None:
    assert steps(milled("G0 Z1\nG81 X1 Z-3 R2"))[1:3] == [(RAPID, (0, 0, 2)), (RAPID, (1, 0, 2))]


def test_g82_waits_at_the_bottom() -> None:
    assert steps(milled("G0 Z2\nG82 Z-1 R2 P0.5"))[1:] == [
        (RAPID, (0, 0, 2)),
        (FEED, (0, 0, -1)),
        (DWELL, (0, 0, -1)),
        (RAPID, (0, 0, 2)),
    ]


def test_g83_clears_the_hole_after_each_peck() -> None:
    ends = [end[2] for _, end in steps(milled("G0 Z10\nG83 X5 Z-10 R2 Q4"))]

    assert ends == pytest.approx([10, 10, 2, -2, 2, -1.746, -6, 2, -5.746, -10, 10])


def test_g73_only_breaks_the_chip() -> None:
    ends = [end[2] for _, end in steps(milled("G0 Z10\nG99 G73 X20 Z-5 R1 Q2"))]

    assert ends == pytest.approx([10, 10, 1, -1, -0.746, -3, -2.746, -5, 1])


@pytest.mark.parametrize(
    ("cycle", "way_out"),
    [
        ("G84", [(FEED, 1), (RAPID, 5)]),
        ("G85", [(FEED, 1), (RAPID, 5)]),
        ("G86", [(RAPID, 5)]),
        ("G89 P0", [(FEED, 5)]),
    ],
)
def test_boring_and_tapping_leave_the_hole_their_own_way(
    cycle: str, way_out: list[tuple[Kind, float]]
) -> None:
    made = [(kind, end[2]) for kind, end in steps(milled(f"G0 Z5\nG98 {cycle} Z-2 R1"))]

    assert made[3:] == [(FEED, -2), *way_out]


def test_repeats_in_incremental_mode_make_a_row_of_holes() -> None:
    program = milled("G0 Z10\nG91 G98 G81 X5 Z-3 R-7 L3\nG80")

    holes = [end for kind, end in steps(program) if kind is FEED]
    assert holes == [(5, 0, 0), (10, 0, 0), (15, 0, 0)]


def test_incremental_r_counts_from_the_level_the_cycle_began_at() -> None:
    program = milled("G0 Z10\nG91 G99 G81 X5 Z-3 R-7\nX5\nG80")

    holes = [end for kind, end in steps(program) if kind is FEED]
    assert holes == [(5, 0, 0), (10, 0, 0)]


def test_l0_keeps_the_cycle_and_drills_nothing() -> None:
    program = milled("G0 Z10\nG81 X5 Z-3 R1 L0\nX9\nG80")

    assert [end for kind, end in steps(program) if kind is FEED] == [(9, 0, -3)]


def test_a_cycle_in_the_zx_plane_drills_along_y() -> None:
    program = milled("G18 G0 Y5\nG81 X1 Y-3 R2")

    assert (FEED, (1, -3, 0)) in steps(program)


def test_a_block_without_axes_drills_nothing() -> None:
    program = milled("G0 Z10\nG81 X5 Z-3 R1\nF200\nM8\nG80")

    assert len([kind for kind, _ in steps(program) if kind is FEED]) == 1


def test_the_safety_line_cancels_a_cycle_and_leaves_a_rapid() -> None:
    program = milled("G0 Z10\nG81 X5 Z-3 R1\nG0 G17 G40 G49 G80 G90\nX1")

    assert errors(program) == []
    assert steps(program)[-1] == (RAPID, (1, 0, 10))


def test_a_missing_dwell_is_remarked_on() -> None:
    assert warnings(milled("G82 Z-1 R1")) == ["G82 without a dwell P: read as no dwell"]


def test_a_hole_whose_bottom_is_above_r_is_refused() -> None:
    assert errors(milled("G81 Z3 R1")) == ["G81: R is below the bottom of the hole"]
