import hashlib
import itertools
import math
from array import array
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.bundled import bundled
from cnc_station.engine.domain import nc
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.outside_file import MOST_PROGRAM_BYTES
from cnc_station.engine.services import programs
from cnc_station.engine.services.programs import Toolpaths, check_program, toolpath

GOOD = b"G21 G90 G94\nS900 M3\nG0 X0 Y0 Z5\nG1 Z-1 F100\nG1 X60 F600\nG0 Z5\nM30\n"


def surface(rows: int) -> bytes:
    """A wavy pocket floor cut in short moves, with some rapids and dwells."""
    lines = ["G21 G90 G94 F1000 S900 M3", "G0 X0 Y0 Z5"]
    for row in range(rows):
        y = row * 0.4
        for step in range(400):
            x = step * 0.5 if row % 2 == 0 else 200 - step * 0.5
            word = "G0" if step == 0 and row % 20 == 0 else "G1"
            lines.append(f"{word} X{x:.3f} Y{y:.3f} Z{3 * math.sin(x / 20):.3f}")
        if row % 100 == 50:
            lines.append("G4 P60")
    return "\n".join([*lines, "M30\n"]).encode()


def test_a_program_is_stored_with_its_totals() -> None:
    kept = check_program("C:\\nc\\part.nc", GOOD)
    assert (kept.name, kept.content, kept.lines) == ("part.nc", GOOD, 7)
    assert kept.sha256 == hashlib.sha256(GOOD).hexdigest()
    assert kept.duration_s == nc.read(GOOD).duration_s > 0
    assert kept.findings == ()


def test_a_program_in_utf_16_is_kept_as_the_machine_can_read_it() -> None:
    kept = check_program("lid.nc", GOOD.decode().encode("utf-16"))

    assert kept.content == GOOD
    assert "UTF-16" in kept.findings[0][2]


def test_a_warning_is_stored_with_the_program() -> None:
    kept = check_program("part.nc", GOOD.replace(b"M30\n", b"M5\n"))
    ((_, severity, message),) = kept.findings
    assert severity == "warning"
    assert "M30" in message


def test_a_wrong_program_is_refused_with_its_lines() -> None:
    wrong = GOOD.replace(b" F100", b"").replace(b"G1 X60", b"G1 XY60")
    with pytest.raises(InvalidInput) as refused:
        check_program("part.nc", wrong)
    assert [error.field for error in refused.value.errors] == ["line 4", "line 5"]
    assert "feed" in refused.value.errors[0].reason.lower()


def test_of_many_errors_the_first_are_listed_and_the_others_counted() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_program("part.nc", b"".join(b"G1 X%dX1\n" % n for n in range(50)))
    assert len(refused.value.errors) == programs.ERRORS_TOLD + 1
    assert "more errors" in refused.value.errors[-1].reason


def test_a_program_needs_a_name_and_a_sane_size() -> None:
    for name in ("", "/", "a" * 201, "a\nb"):
        with pytest.raises(InvalidInput, match="name"):
            check_program(name, GOOD)
    with pytest.raises(InvalidInput, match="larger than 32 MB"):
        check_program("part.nc", b"\n" * (MOST_PROGRAM_BYTES + 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_stored_or_refused(content: bytes) -> None:
    try:
        name = check_program("part.nc", content).name
    except InvalidInput as refused:
        name = "part.nc" if refused.errors else ""
    assert name == "part.nc"


def test_a_short_path_is_drawn_as_it_is() -> None:
    path = toolpath("x", GOOD)
    assert list(zip(path.x, path.y, path.z, path.kind, path.line, strict=True))[-4:-1] == [
        (0, 0, -1, 1, 4),
        (60, 0, -1, 1, 5),
        (60, 0, 5, 0, 6),
    ]
    assert path.seconds[-1] == pytest.approx(path.duration_s)
    assert not path.lathe


def test_a_long_path_keeps_its_shape_and_its_time_with_few_points() -> None:
    content = surface(300)
    path = toolpath("x", content)
    assert 1_000 < len(path.x) <= programs.POINTS
    assert {len(path.x)} == {len(c) for c in (path.y, path.z, path.line, path.kind, path.seconds)}
    assert list(path.seconds) == sorted(path.seconds)
    program = nc.read(content)
    for step in range(1, 500):
        seconds = path.duration_s * step / 500
        real = nc.at(program, seconds)
        place = min(bisect_right(path.seconds, seconds), len(path.x) - 1)
        begins, ends = path.seconds[place - 1], path.seconds[place]
        share = (seconds - begins) / (ends - begins) if ends > begins else 1.0
        drawn = (
            axis[place - 1] + (axis[place] - axis[place - 1]) * share
            for axis in (path.x, path.y, path.z)
        )
        assert math.dist(drawn, (real.x, real.y, real.z)) < 1.0  # of 200 mm


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1]), *[st.integers(-3, 3)] * 3, st.integers(0, 5)),
        min_size=2,
        max_size=60,
    )
)
def test_what_is_left_out_of_a_path_lies_close_to_what_is_drawn(
    steps: list[tuple[int, int, int, int, int]],
) -> None:
    kinds, xs, ys, zs, pauses = zip(*steps, strict=True)
    times = itertools.accumulate(pauses)
    path = nc.Polyline(
        array("d", xs),
        array("d", ys),
        array("d", zs),
        array("d", times),
        array("i", range(len(steps))),
        bytearray(kinds),
    )
    tolerance = 0.5
    kept = programs.corners(path, tolerance)
    assert kept[0] == 0
    assert kept[-1] == len(steps) - 1
    points = list(zip(xs, ys, zs, strict=True))
    for begin, end in itertools.pairwise(kept):
        for place in range(begin + 1, end):
            assert distance(points[place], points[begin], points[end]) <= 2 * tolerance


Point = tuple[float, float, float]


def distance(point: Point, begin: Point, end: Point) -> float:
    """Return the distance from a point to the line between two others."""
    length = math.dist(begin, end)
    if length == 0:
        return math.dist(point, begin)
    spans = zip(point, begin, end, strict=True)
    share = sum((p - b) * (e - b) for p, b, e in spans) / length**2
    share = min(max(share, 0.0), 1.0)
    return math.dist(point, [b + (e - b) * share for b, e in zip(begin, end, strict=True)])


def test_a_lathe_program_says_so() -> None:
    source = bundled("demo", "programs", "bushing_30x20.ngc").read_bytes()
    assert toolpath("x", source).lathe


def test_a_path_is_worked_out_once_while_it_is_among_the_last_used() -> None:
    loaded: list[str] = []

    def load(sha256: str) -> bytes | None:
        loaded.append(sha256)
        return None if sha256 == "gone" else GOOD

    paths = Toolpaths(load, size=2)
    for sha256 in ("a", "b", "a", "c", "a", "b"):
        path = paths.of(sha256)
        assert path is not None
        assert path.sha256 == sha256
    assert loaded == ["a", "b", "c", "b"]
    assert paths.of("gone") is None
