import pytest

from cnc_station.engine.domain.nc import Kind, Limits
from tests.unit.nc.programs import errors, milled, steps, warnings

RAPID, FEED, HOME = Kind.RAPID, Kind.FEED, Kind.HOME
HIGH = Limits(home_mm=(0, 0, 100))


@pytest.mark.parametrize(
    ("body", "end"),
    [
        ("G0 X5\nG92 X0\nX1", (6, 0, 0)),
        ("G0 X5\nG92 X0\nG92.2\nX1", (1, 0, 0)),
        ("G0 X5\nG92 X0\nG92.2\nG92.3\nX1", (6, 0, 0)),
        ("G0 X5\nG92 X0\nG92.1\nG92.3\nX1", (1, 0, 0)),
        ("G52 X2\nG0 X1", (3, 0, 0)),
        ("G52 X2\nG52 X0\nG0 X1", (1, 0, 0)),
        ("G10 L2 P1 X7\nG0 X1", (8, 0, 0)),
        ("G10 L2 P2 X7\nG0 X1", (1, 0, 0)),
        ("G10 L2 P2 X7\nG55 G0 X1", (8, 0, 0)),
        ("G0 X5\nG10 L20 P1 X2\nX0", (3, 0, 0)),
        ("G59.3\nG10 L2 P0 X7\nG0 X1", (8, 0, 0)),
        ("G10 L1 P1 Z7\nG0 X1", (1, 0, 0)),
        ("G52 X2\nG91 G0 X1", (1, 0, 0)),
        ("G54.1 P3\nG10 L2 P0 X7\nG0 X1\nG154 P3 X2\nG54 X1", (1, 0, 0)),
        ("G154 P3\nG10 L2 P0 X7\nG0 X1", (8, 0, 0)),
    ],
)
def test_zero_moves_where_the_program_puts_it(body: str, end: tuple[float, ...]) -> None:
    program = milled(body)

    assert errors(program) == []
    assert steps(program)[-1] == (RAPID, end)


def test_g28_goes_home_by_way_of_its_point_on_the_axes_it_names() -> None:
    program = milled("G0 X5 Y5\nG28 Z20", HIGH)

    assert steps(program)[1:] == [(RAPID, (5, 5, 20)), (HOME, (5, 5, 100))]


def test_the_usual_retreat_goes_straight_up() -> None:
    program = milled("G0 X5 Z5\nG91 G28 Z0\nG90 X1", HIGH)

    assert steps(program)[1:] == [(HOME, (5, 0, 100)), (RAPID, (1, 0, 100))]


def test_machine_coordinates_are_outside_the_bounds() -> None:
    program = milled("G1 X5 Z-1\nG53 G0 Z0\nG28", HIGH)

    assert program.bounds is not None
    assert program.bounds.high[2] == -1.0
    assert [kind for kind, _ in steps(program)] == [FEED, HOME, HOME]


def test_a_stored_home_is_gone_back_to() -> None:
    assert steps(milled("G0 X5 Y5\nG28.1\nX9\nG28"))[-1] == (HOME, (5, 5, 0))


def test_g53_in_incremental_mode_is_remarked_on() -> None:
    assert "G53 with G91" in warnings(milled("G0 X5\nG91 G53 G0 X1"))[0]
