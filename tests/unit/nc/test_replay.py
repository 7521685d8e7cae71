from math import hypot

import pytest

from cnc_station.engine.domain.nc import Kind, at, polyline
from tests.unit.nc.programs import milled, moves, read_text

SQUARE = milled("G1 X10 F600\nY10\nG4 P2\nG0 X0\nG3 X0 Y0 R5 F300")


def test_half_of_a_moves_time_is_half_of_its_way() -> None:
    place = at(SQUARE, 5.0 + 1.5)

    assert (place.line, place.x, place.y) == (6, 10.0, 5.0)
    assert (place.feed, place.spindle, place.tool) == (600.0, 1000.0, 1)
    assert place.fraction == pytest.approx(6.5 / SQUARE.duration_s)


def test_the_tool_stands_while_the_program_dwells() -> None:
    place = at(SQUARE, 5.0 + 3.0)

    assert (place.line, place.x, place.y, place.feed) == (7, 10.0, 10.0, 0.0)


def test_on_an_arc_the_tool_is_on_the_circle() -> None:
    arc = next(move for move in moves(SQUARE) if move.kind is Kind.ARC)
    for share in (0.1, 0.5, 0.9):
        place = at(SQUARE, arc.starts_s + arc.seconds * share)
        assert hypot(place.x, place.y - 5.0) == pytest.approx(5.0)
    assert at(SQUARE, arc.starts_s + arc.seconds / 2).x == pytest.approx(-5.0)


def test_before_the_start_and_after_the_end_it_stands_still() -> None:
    before, after = at(SQUARE, -1.0), at(SQUARE, 1e9)

    assert (before.x, before.y, before.fraction) == (0.0, 0.0, 0.0)
    assert (after.x, after.y, after.fraction, after.line) == (0.0, 0.0, 1.0, 10)


def test_a_program_that_does_nothing_is_over_at_once() -> None:
    assert at(read_text(""), 0.0).fraction == 1.0
    assert len(polyline(read_text(""))) == 1


@pytest.mark.parametrize("tolerance", [1.0, 0.1, 0.001])
def test_the_chords_of_an_arc_stay_within_the_tolerance(tolerance: float) -> None:
    program = milled("G1 X10\nG3 I-10 Z5")
    drawn = polyline(program, tolerance)
    middles = [
        hypot((drawn.x[i] + drawn.x[i + 1]) / 2, (drawn.y[i] + drawn.y[i + 1]) / 2)
        for i in range(len(drawn) - 1)
        if drawn.kind[i] == drawn.kind[i + 1] == Kind.ARC
    ]

    assert len(middles) > 4
    assert all(10.0 - middle <= tolerance * 1.001 for middle in middles)


def test_the_points_of_the_path_are_where_the_tool_is_at_their_time() -> None:
    drawn = polyline(SQUARE)

    for i, second in enumerate(drawn.time_s):
        place = at(SQUARE, second)
        assert (place.x, place.y) == pytest.approx((drawn.x[i], drawn.y[i]))
