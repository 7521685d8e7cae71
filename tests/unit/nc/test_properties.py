from itertools import pairwise
from math import cos, isfinite, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.nc import Limits, Program, at, polyline, read
from cnc_station.engine.domain.nc.dialect import Dialect
from cnc_station.engine.domain.nc.dialects import ALL
from cnc_station.engine.domain.nc.encoding import decoded
from tests.unit.nc.programs import moves

NUMBERS = st.one_of(
    st.floats(-50, 50).map(lambda value: f"{value:.3f}"),
    st.sampled_from(["0", "1", "-0", ".5", "5.", "-", "+.", "1e9", "nan", "", "1000000000"]),
)
WORDS = st.builds(str.__add__, st.sampled_from("XYZIJKRPQLFSTABCDEHUVWNO"), NUMBERS)
CODES = st.sampled_from(
    [f"G{n}" for n in (0, 1, 2, 3, 4, 10, 17, 18, 19, 20, 21, 28, 28.1, 33, 33.1, 38.2, 43, 52)]
    + [f"G{n}" for n in (53, 54, 59.3, 73, 76, 80, 81, 82, 83, 84, 85, 86, 89, 90, 91, 90.1)]
    + [f"G{n}" for n in (91.1, 92, 92.1, 93, 94, 95, 96, 97, 98, 99, 7, 8)]
    + [f"M{n}" for n in (0, 1, 2, 3, 5, 6, 30, 98, 99)]
    + ["%", "/", "(", ")", ";", "#", "[", "]", "O1", "L2", "L20"]
)
LINES = st.lists(st.one_of(WORDS, WORDS, CODES), max_size=6).map(" ".join)
TEXTS = st.lists(LINES, max_size=30).map("\n".join)
KEYWORDS = (
    "sub endsub call return do while endwhile if elseif else endif break continue repeat endrepeat"
)
FLOW = st.builds(
    "{}{}{}".format,
    st.sampled_from(["o1", "o2", "o<a>"]),
    st.sampled_from(KEYWORDS.split()),
    st.sampled_from(["", "", "[1]", "[#1 lt 3]", "[#2]"]),
)
EXPRESSIONS = st.sampled_from(
    ["#1=[#1+1]", "#2=[#1*3]", "G1 X#1 F9", "X[1/#2]", "Y[#1**9]", "X##1", "Z[-[", "[1]", "#<b>=2"]
)
MACRO = st.sampled_from(
    [
        *("WHILE[#1LT3]DO1", "END1", "DO2", "END2", "IF[#1EQ#0]GOTO1", "IF[#2GT#1]THEN#2=#1+1"),
        *("GOTO2", "GOTO#1", "N1", "N2G0X#1", "#1=#1-1", "#3000=1", "#3006=1", "#[#1]=#5041"),
        *("G65P1A2.L2", "O1", "O2", "M97P1", "M98P2L3", "M99", "M99P2", "G65P7", "DPRNT[X#1]"),
        *("G1@#1^90", "$H"),
    ]
)
LOOPING = st.lists(st.one_of(FLOW, FLOW, MACRO, EXPRESSIONS), max_size=15).map("\n".join)


ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1251"])


def holds_together(program: Program) -> None:
    moves = program.moves
    columns = (moves.x, moves.y, moves.z, moves.feed, moves.spindle, moves.ends_s)
    assert all(isfinite(value) for column in columns for value in column)
    assert all(a <= b for a, b in pairwise(moves.ends_s))
    assert program.duration_s == (moves.ends_s[-1] if len(moves) else 0.0)
    line = polyline(program)
    assert len(line) == len(line.x) == len(line.y) == len(line.z) == len(line.time_s)
    assert len(line) == len(line.line) == len(line.kind)
    assert all(a <= b for a, b in pairwise(line.time_s))
    places = [at(program, program.duration_s * share) for share in (0, 0.1, 0.4, 0.8, 1)]
    assert all(a.fraction <= b.fraction for a, b in pairwise(places))
    last = places[-1]
    assert (last.x, last.y, last.z) == moves.end(len(moves) - 1)
    assert last.fraction == 1.0


@given(st.binary(max_size=2000), st.sampled_from((None, *ALL)))
def test_any_bytes_are_read_without_an_exception(source: bytes, dialect: Dialect | None) -> None:
    holds_together(read(source, limits=Limits(dialect=dialect)))
    decoded(source)


@given(TEXTS, st.sampled_from((None, *ALL)), ENCODINGS)
def test_any_words_are_read_without_an_exception(
    text: str, dialect: Dialect | None, encoding: str
) -> None:
    holds_together(read(text.encode(encoding), limits=Limits(dialect=dialect)))


PLACES = st.lists(
    st.tuples(*(st.integers(-50_000, 50_000).map(lambda steps: steps / 1000),) * 3),
    min_size=1,
    max_size=20,
)


def path(text: str) -> list[float]:
    moves = read(f"{text}\nM2\n".encode()).moves
    return [value for column in (moves.x, moves.y, moves.z, moves.ends_s) for value in column]


def lines(places: list[tuple[float, ...]], scale: float = 1.0) -> str:
    return "\n".join(
        " ".join(f"{letter}{value / scale:.9f}" for letter, value in zip("XYZ", place, strict=True))
        for place in places
    )


@given(PLACES)
def test_inches_and_millimetres_describe_the_same_path(places: list[tuple[float, ...]]) -> None:
    metric = path(f"G21 G1 F254\n{lines(places)}")
    imperial = path(f"G20 G1 F10\n{lines(places, 25.4)}")

    assert imperial == pytest.approx(metric, abs=1e-5)


@given(PLACES)
def test_absolute_and_incremental_describe_the_same_path(places: list[tuple[float, ...]]) -> None:
    steps = [
        tuple(b - a for a, b in zip(before, after, strict=True))
        for before, after in pairwise([(0.0, 0.0, 0.0), *places])
    ]

    assert path(f"G21 G91 G1 F100\n{lines(steps)}") == pytest.approx(
        path(f"G21 G90 G1 F100\n{lines(places)}"), abs=1e-6
    )


@given(
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.floats(0, 2 * pi),
    st.floats(0.1, 2 * pi - 0.1),
    st.floats(0.5, 100),
    st.sampled_from([("G2", -1), ("G3", 1)]),
)
def test_an_arc_ends_exactly_where_it_says_and_turns_its_angle(
    x: float, y: float, start: float, sweep: float, radius: float, turn: tuple[str, int]
) -> None:
    code, sign = turn
    centre_x, centre_y = x - radius * cos(start), y - radius * sin(start)
    end_x = centre_x + radius * cos(start + sign * sweep)
    end_y = centre_y + radius * sin(start + sign * sweep)
    by_centre = f"{code} X{end_x:.6f} Y{end_y:.6f} I{centre_x - x:.6f} J{centre_y - y:.6f}"
    program = read(f"G21 F100\nG0 X{x:.6f} Y{y:.6f}\n{by_centre}\nM2".encode())
    drawn = polyline(program)

    assert not program.refused
    assert moves(program)[1].end[:2] == (float(f"{end_x:.6f}"), float(f"{end_y:.6f}"))
    assert (drawn.x[-1], drawn.y[-1]) == moves(program)[1].end[:2]
    assert program.feed_mm == pytest.approx(radius * sweep, rel=1e-3)
    assert program.bounds is not None
    low, high = program.bounds.low[0] - 1e-3, program.bounds.high[0] + 1e-3
    assert all(low <= value <= high for value in drawn.x[1:])


@given(LOOPING, st.sampled_from((None, *ALL)))
def test_any_loops_and_branches_come_to_an_end(text: str, dialect: Dialect | None) -> None:
    limits = Limits(max_repeated_blocks=500, dialect=dialect)
    holds_together(read(text.encode(), limits=limits))


@given(TEXTS)
def test_the_duration_is_the_sum_of_the_moves(text: str) -> None:
    program = read(text.encode())

    assert program.duration_s == pytest.approx(sum(move.seconds for move in moves(program)))
