"""The NC reader and the interpreter of a real controller drive the same path."""

import os
import shutil
from bisect import bisect_right
from itertools import accumulate, pairwise
from math import dist
from pathlib import Path
from random import Random

import pytest

from cnc_station.bundled import bundled
from cnc_station.engine.domain.nc import DEFAULT, Kind, Limits, Program, Severity, polyline, read
from cnc_station.engine.domain.nc.dialects import LINUXCNC
from tests.unit.nc.linuxcnc import DATA, Driven, Point, driven
from tests.unit.nc.programs import moves

pytestmark = pytest.mark.skipif(
    shutil.which("rs274") is None and os.environ.get("CI") != "true",
    reason="rs274 is missing: install linuxcnc-uspace (./dev test does)",
)
PROGRAMS = sorted(file.name for file in bundled("demo", "programs").iterdir())
REFUSED = [
    "arc_without_centre.ngc",
    "binary.nc",
    "broken_number.nc",
    "cycle_without_r.ngc",
    "no_feed.nc",
    "open_arc.ngc",
    "plain_text.tap",
    "unclosed_comment.nc",
    "unknown_g_code.nc",
    "unknown_word.nc",
]
MM = 0.002  # rounding: the interpreter's report to 0.1 µm a move, its arcs to chords of 0.25°
CHORD_MM = 0.001
PATH_MM = 0.1  # chords are shorter than arcs, so positions along the two differ


def read_by_us(program: Program) -> Driven:
    """Return the cuts of the NC reader, in the same form as the reference."""
    result = Driven(feed_mm=program.feed_mm, rapid_mm=program.rapid_mm, tools=list(program.tools))
    for move in moves(program):
        if move.kind in {Kind.FEED, Kind.ARC}:
            points = [move.start, move.end]
            if move.arc:
                count = 360
                points += [move.arc.point(move.start, move.end, k / count) for k in range(count)]
            result.cut(points, 0.0)
        result.end = move.end
    return result


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_demo_program_drives_where_linuxcnc_drives_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(bundled("demo", "programs", name).read_bytes())
    theirs = driven(file)
    ours = read_by_us(read(file.read_bytes()))

    assert not theirs.complaint
    assert ours.end == pytest.approx(theirs.end, abs=MM)
    assert ours.low == pytest.approx(theirs.low, abs=MM)
    assert ours.high == pytest.approx(theirs.high, abs=MM)
    assert ours.feed_mm == pytest.approx(theirs.feed_mm, rel=1e-4)
    assert set(ours.tools) == set(theirs.tools)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_demo_program_takes_as_long_as_linuxcnc_says(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(bundled("demo", "programs", name).read_bytes())
    theirs, ours = driven(file), read(file.read_bytes())

    if not theirs.by_the_minute:
        pytest.skip("it feeds by the turn, and the report does not say how fast the spindle turns")
    rapids_s = theirs.rapid_mm / DEFAULT.rapid_mm_min * 60.0
    changes_s = len(theirs.tools) * DEFAULT.tool_change_s
    expected = theirs.cutting_s + rapids_s + changes_s
    # Its tapping cycle wrongly dwells as long as the drilling cycle before it.
    assert ours.duration_s == pytest.approx(expected, rel=0.015, abs=0.05)


def along(path: list[Point], shares: list[float]) -> list[Point]:
    """Return the points after these fractions of a path's length."""
    lengths = list(accumulate((dist(a, b) for a, b in pairwise(path)), initial=0.0))
    places = []
    for share in shares:
        way = share * lengths[-1]
        index = min(bisect_right(lengths, way), len(path) - 1)
        start, end = path[index - 1], path[index]
        step = lengths[index] - lengths[index - 1]
        part = min((way - lengths[index - 1]) / step, 1.0) if step else 1.0
        x, y, z = (a + (b - a) * part for a, b in zip(start, end, strict=True))
        places.append((x, y, z))
    return places


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_drawn_path_of_a_demo_program_is_the_one_linuxcnc_drives(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(bundled("demo", "programs", name).read_bytes())
    drawn = polyline(read(file.read_bytes()), CHORD_MM)
    ours = list(zip(drawn.x, drawn.y, drawn.z, strict=True))
    shares = [number / 997 for number in range(998)]

    for mine, its in zip(along(ours, shares), along(driven(file).path, shares), strict=True):
        assert dist(mine, its) < PATH_MM


@pytest.mark.parametrize("name", REFUSED)
def test_what_linuxcnc_refuses_we_refuse(name: str) -> None:
    assert driven(DATA / name).complaint
    findings = read((DATA / name).read_bytes()).findings
    assert any(finding.severity is Severity.ERROR for finding in findings)


def random_program(seed: int) -> str:
    """Return lines, arcs and drilling in every plane, unit and distance mode."""
    random = Random(seed)

    def number(low: float, high: float) -> str:
        return f"{random.uniform(low, high):.3f}"

    def place() -> str:
        return " ".join(f"{axis}{number(-20, 20)}" for axis in random.sample("XYZ", 2))

    def hole() -> str:
        cycle = random.choice(["G73 Q2", "G81", "G82 P1", "G83 Q2", "G85", "G86 P1", "G89 P1"])
        level = random.choice(["G98", "G99"])
        across, depths = (
            f"X{number(-9, 9)} Y{number(-9, 9)}",
            f"Z{number(-20, 0)} R{number(0.1, 5)}",
        )
        first = f"{level} {cycle} {across} {depths}"
        repeats = random.choice(["", " L2", " L3"])
        return f"G90 G17 G0 Z9\n{first}{repeats}\nX{number(-9, 9)}\nG80"

    makers = [
        lambda: f"G1 {place()}",
        lambda: f"G0 {place()}",
        lambda: f"G2 {place()} R-{number(60, 90)}",
        lambda: f"G3 X{number(-9, 9)} Y{number(-9, 9)} Z1 R{number(60, 90)}",
        lambda: f"G17 G2 I{number(1, 9)} J{number(-9, 9)} Z{number(-9, 9)} P2",
        lambda: f"G18 G3 I{number(1, 9)} K{number(-9, 9)}",
        lambda: f"G19 G2 J{number(1, 9)} K{number(-9, 9)}",
        lambda: random.choice(["G17", "G18", "G19", "G20", "G21", "G90", "G91"]),
        hole,
    ]
    body = "\n".join(random.choice(makers)() for _ in range(8))
    return f"G21 G90 G17 G98\nS900 M3 F300\nG0 X0 Y0 Z9\n{body}\nM2\n"


@pytest.mark.parametrize("seed", range(25))
def test_a_random_program_drives_where_linuxcnc_drives_it(seed: int, tmp_path: Path) -> None:
    file = tmp_path / "random.ngc"
    file.write_text(random_program(seed))
    theirs, program = driven(file), read(file.read_bytes())
    ours = read_by_us(program)

    assert program.refused == bool(theirs.complaint), (program.findings, theirs.complaint)
    if not program.refused:
        assert ours.end == pytest.approx(theirs.end, abs=MM)
        assert ours.low == pytest.approx(theirs.low, abs=20 * MM)
        assert ours.high == pytest.approx(theirs.high, abs=20 * MM)
        assert ours.feed_mm == pytest.approx(theirs.feed_mm, rel=1e-3)
        assert ours.rapid_mm == pytest.approx(theirs.rapid_mm, rel=1e-3)


LINUXCNCS_OWN = [
    "G1 @25 ^40\n^-70\n@8 Z-2\nG91 ^33\n@4",
    "G2 @9 ^-90 I-9 J0\nG1 X0 Y0\n@6 ^45",
    "G81 R1 Z-4 @20 ^90\n^150\n@11\nG80",
    "G1 X[#<_x>+2] Y[#<_z>*2]\nX[#<_motion_mode>/10] Y[#<_plane>/10]\nX[#<_feed>/9] Y[#<_rpm>/90]",
    "G20 G1 X[#<_x>] Y[#5421+#<_metric>]\nG21 G55 X#<_imperial> Y[#<_coord_system>/50]\nX#5220",
    "G1 X[#<_retract_r_plane>+3] Y[#<_absolute>+5]\nG99 X[#<_retract_old_z>+#<_current_tool>]",
    "G18 G1 X1 Z1\nG2 X11.01 Z1.02 I5 K0\nG17 G3 X5 Y0 R8\nG2 X9.026 Y0 I2 J0",
]


@pytest.mark.parametrize("body", LINUXCNCS_OWN)
def test_linuxcncs_own_words_and_parameters_drive_where_it_drives(
    body: str, tmp_path: Path
) -> None:
    file = tmp_path / "own.ngc"
    file.write_text(f"G21 G90 G17 G98\nS900 M3 F300\nG0 X9 Y0 Z5\n{body}\nM2\n")
    theirs, program = driven(file), read(file.read_bytes(), limits=Limits(dialect=LINUXCNC))
    ours = read_by_us(program)

    assert not theirs.complaint
    assert not program.refused, program.findings
    assert ours.end == pytest.approx(theirs.end, abs=MM)
    assert ours.feed_mm == pytest.approx(theirs.feed_mm, rel=1e-3)
    assert ours.low == pytest.approx(theirs.low, abs=20 * MM)
    assert ours.high == pytest.approx(theirs.high, abs=20 * MM)
