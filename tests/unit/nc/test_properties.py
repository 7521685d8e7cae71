from itertools import pairwise
from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.nc import Program, at, polyline, read

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
    places = [at(program, program.duration_s * share / 7) for share in range(8)]
    assert all(a.fraction <= b.fraction for a, b in pairwise(places))
    last = places[-1]
    assert (last.x, last.y, last.z) == moves.end(len(moves) - 1)
    assert last.fraction == 1.0


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_an_exception(source: bytes) -> None:
    holds_together(read(source))


@given(TEXTS)
def test_any_words_are_read_without_an_exception(text: str) -> None:
    holds_together(read(text.encode()))
