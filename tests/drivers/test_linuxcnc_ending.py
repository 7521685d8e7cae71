"""The end position of a program, and the lines after which its path reaches it only at the end."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.bundled import bundled
from cnc_station.engine.domain.nc import read
from cnc_station.engine.drivers.linuxcnc.ending import Ending, ending_of
from tests.unit.nc.linuxcnc import driven

HEAD = "G21 G90 G17 G54 G49\nG0 X0 Y0 Z5\nF600\n"


def ending(text: str) -> Ending:
    source = text.encode()
    return ending_of(read(source), source)


@pytest.mark.parametrize(
    ("why", "text", "place"),
    [
        ("each axis was told where to go", f"{HEAD}G1 X3\nM2\n", (3.0, 0.0, 5.0)),
        ("inches are millimetres too", "G20 G90\nG0 X1 Y0\nM2\n", (25.4, 0.0, None)),
        ("an axis nobody moved may be anywhere", "G21 G90\nG0 X1\nM2\n", (1.0, None, None)),
        ("relative to an unknown place", "G21 G91\nG0 X1\nM2\n", (None, None, None)),
        ("relative to a known place", f"{HEAD}G91\nG1 X3\nM2\n", (3.0, 0.0, 5.0)),
        ("G28 goes where the machine says", f"{HEAD}G91 G28 Z0\nM30\n", (0.0, 0.0, None)),
        ("G53 as well", f"{HEAD}G53 G0 X0 Y0\nM30\n", (None, None, 5.0)),
        ("a tool change may move it", f"{HEAD}T1 M6\nG0 X2\nM2\n", (2.0, None, None)),
        ("a tool's length is on Z", f"{HEAD}G43 H1\nG1 X3 Z2\nM2\n", (3.0, 0.0, None)),
        ("a tool's radius is beside the path", f"{HEAD}G41 D1\nG1 X3\nM2\n", (None, None, 5.0)),
        ("until it is taken off", f"{HEAD}G41 D1\nG1 X3\nG40 G1 X9 Y0\nM2\n", (9.0, 0.0, 5.0)),
        ("another zero", f"{HEAD}G55\nG1 X3\nM2\n", (None, None, None)),
        ("a zero that it sets itself", f"{HEAD}G92 X0\nG1 X3\nM2\n", (None, None, None)),
        ("no unit is millimetres: they are set", "G90\nG0 X1\nM2\n", (1.0, None, None)),
    ],
)
def test_only_what_the_controller_can_show_counts_as_the_end(
    why: str, text: str, place: tuple[float | None, ...]
) -> None:
    assert ending(text).place == (pytest.approx(place) if None not in place else place), why


def test_an_abort_at_an_earlier_visit_could_be_taken_for_the_end() -> None:
    #               4         5     6     7         8     9
    lines = f"{HEAD}G1 X5\nG1 X0\nG1 Y5\nG1 X-5 Y0\nG1 X0\nM2\n"
    assert ending(lines).late == {6, 7, 8, 9}


def test_a_line_that_passes_the_place_is_not_late_itself() -> None:
    #               4         5     6     7
    assert ending(f"{HEAD}G1 X5\nG1 X-5\nG1 X0\nM2\n").late == {6, 7}


def test_a_stop_at_the_end_leaves_no_proof() -> None:
    assert not ending(f"{HEAD}G1 X5\nM0\nM2\n").late


def test_lines_that_a_loop_repeats_prove_nothing() -> None:
    loop = "O1 REPEAT [2]\nG1 X5\nG1 X0\nO1 ENDREPEAT\nM2\n"
    assert not ending(HEAD + loop).late & {5, 6}


def test_a_program_without_an_end_is_detected() -> None:
    assert ending(f"{HEAD}G1 X5\nM30\n").closed
    assert ending(f"%\n{HEAD}G1 X5\n%\n").closed
    assert not ending(f"{HEAD}G1 X5\n").closed


@pytest.mark.parametrize(
    ("text", "left_on"),
    [
        (f"{HEAD}M3 S100\nG1 X5\n%\n", ("spindle",)),
        (f"{HEAD}M3 S100\nG1 X5\nM5\nG0 Z9\n%\n", ()),
        (f"{HEAD}M3 S100\nG1 X5\nM2\n", ()),
    ],
)
def test_only_a_program_without_m2_can_leave_its_spindle_on(
    text: str, left_on: tuple[str, ...]
) -> None:
    assert ending(text).leaves_on == left_on


places = st.integers(-4, 4)


@given(st.lists(st.tuples(places, places), min_size=2, max_size=12))
def test_after_the_first_late_step_the_path_reaches_that_place_only_at_its_end(
    corners: list[tuple[int, int]],
) -> None:
    steps = "".join(f"G1 X{x} Y{y}\n" for x, y in corners)
    found = ending(f"G21 G90 G54 G49\nF600\n{steps}M2\n")
    path = [(0, 0), *corners]
    first = 3  # the line of the first step
    end = corners[-1]
    for line in found.late & set(range(first, first + len(corners))):
        # Somewhere on this line, away from the end: the rest is the way to the final arrival.
        rest = path[line - first + 1 :]
        while len(rest) > 1 and rest[-2] == end:
            rest.pop()
        assert not any(_crosses(a, b, end) for a, b in pairwise(rest[:-1])), (corners, line)
        assert end not in rest[:-1], (corners, line)


def _crosses(a: tuple[int, int], b: tuple[int, int], p: tuple[int, int]) -> bool:
    turn = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    inside = all(min(a[i], b[i]) <= p[i] <= max(a[i], b[i]) for i in range(2))
    return turn == 0 and inside


@pytest.mark.skipif(shutil.which("rs274") is None, reason="rs274 is not installed")
@pytest.mark.parametrize(
    "name", sorted(file.name for file in bundled("demo", "programs").iterdir())
)
def test_where_a_demo_program_is_known_to_end_is_where_linuxcnc_ends_it(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(bundled("demo", "programs", name).read_bytes())
    theirs = driven(file).end
    ours = ending_of(read(file.read_bytes()), file.read_bytes()).place
    for mine, its in zip(ours, theirs, strict=True):
        assert mine is None or mine == pytest.approx(its, abs=0.002)
