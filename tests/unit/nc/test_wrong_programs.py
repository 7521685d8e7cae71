"""Wrong programs from practice: each is refused or gets a warning, at its line."""

from pathlib import Path

import pytest

from cnc_station.engine.domain.nc import Finding, Severity, read
from cnc_station.engine.domain.nc.set_up import set_up

DATA = Path(__file__).parents[2] / "data" / "nc"


def found(name: str) -> tuple[Finding, ...]:
    return read((DATA / name).read_bytes()).findings


@pytest.mark.parametrize(
    ("name", "line", "why"),
    [
        ("arc_without_centre.ngc", 6, "neither a centre"),
        ("binary.nc", 0, "it is a picture"),
        ("broken_number.nc", 6, "cannot read"),
        ("cycle_without_r.ngc", 5, "needs R"),
        ("empty.nc", 0, "empty"),
        ("no_feed.nc", 5, "without a feed"),
        ("open_arc.ngc", 7, "does not close"),
        ("plain_text.tap", 6, "no number"),
        ("unclosed_comment.nc", 6, "comment is not closed"),
        ("unknown_g_code.nc", 6, "G987 is not a known code"),
        ("unknown_word.nc", 6, "E is not a known word"),
    ],
)
def test_a_wrong_program_is_refused_at_its_line(name: str, line: int, why: str) -> None:
    first = next(finding for finding in found(name) if finding.severity is Severity.ERROR)
    assert first.line == line
    assert why in first.message


def test_a_truncated_program_gets_a_warning() -> None:
    started, ended = found("cut_short.nc")
    assert {started.severity, ended.severity} == {Severity.WARNING}
    assert (started.line, ended.line) == (3, 7)
    assert "spindle is still on" in started.message
    assert "no end" in ended.message


@pytest.mark.parametrize("line", ["O{}", "#1=#{}", "#1={}", "N{} G0 X1", "T{} M6", "M98 P{}"])
@pytest.mark.parametrize("digits", [300, 450, 5_000])
def test_a_number_of_many_digits_is_refused_in_words(line: str, digits: int) -> None:
    program = f"{line.format('9' * digits)}\nM2\n"
    assert all(finding.message for finding in read(program.encode()).findings)
    assert set_up(program).tools == ()
