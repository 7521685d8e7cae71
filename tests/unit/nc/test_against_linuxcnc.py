"""Our reader and the interpreter of a real controller drive the same path."""

import os
import shutil
from pathlib import Path

import pytest

from cnc_station.bundled import bundled
from cnc_station.engine.domain.nc import Kind, Program, Severity, read
from tests.unit.nc.linuxcnc import DATA, Driven, driven

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
MM = 0.002  # both round: the interpreter's report to 0.1 µm a move, its arcs to chords of 0.25°


def read_by_us(program: Program) -> Driven:
    """The cuts of our reader, summed up as the judge's are."""
    result = Driven(feed_mm=program.feed_mm, rapid_mm=program.rapid_mm, tools=list(program.tools))
    for move in program.moves:
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


@pytest.mark.parametrize("name", REFUSED)
def test_what_linuxcnc_refuses_we_refuse(name: str) -> None:
    assert driven(DATA / name).complaint
    findings = read((DATA / name).read_bytes()).findings
    assert any(finding.severity is Severity.ERROR for finding in findings)
