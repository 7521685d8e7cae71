from time import process_time

import pytest

from cnc_station.engine.domain.nc import Limits, Severity, read
from tests.unit.nc.programs import errors, milled, read_text, steps


def test_a_program_larger_than_the_machine_is_refused_at_the_line_that_makes_it_so() -> None:
    small = Limits(travel_mm=(100, 100, 50))
    program = milled("G0 X-40\nX50\nX61\nX0 Y10", small)

    (wrong,) = program.findings
    assert wrong.severity is Severity.ERROR
    assert wrong.line == 7
    assert wrong.message == "X travels 101.0 mm and the machine has 100.0 mm"


def test_the_way_home_does_not_count_for_the_extent() -> None:
    far = Limits(travel_mm=(100, 100, 50), home_mm=(-500, 0, 0))
    program = milled("G0 X10\nG28\nG0 X50\nX120", far)

    assert [finding.line for finding in program.findings] == [8]


def test_the_position_of_the_zero_does_not_matter_for_the_travel() -> None:
    assert errors(milled("G0 X1000\nX1100", Limits(travel_mm=(1200, 100, 50)))) == []


def test_deleted_blocks_are_left_out_or_kept_as_the_switch_says() -> None:
    body = "G0 X1\n/X2\n/3 X4"

    assert len(steps(milled(body))) == 1
    assert len(steps(milled(body, Limits(skip_deleted=False)))) == 3


def test_a_program_is_read_to_the_limit_and_no_further() -> None:
    assert "longer than 5 lines" in errors(milled("G0 X1\nX2\nX3", Limits(max_lines=5)))[0]
    assert "more than 9 moves" in errors(milled("G81 Z-1 R1 L9000", Limits(max_moves=9)))[0]


def test_a_hundred_findings_are_kept_and_the_rest_counted() -> None:
    program = read_text("G21\n" + "\n".join(f"G1.7 X{i}" for i in range(150)))

    assert len(program.findings) == 101
    assert program.findings[-1].message == "and 51 more findings that are not listed"


def test_an_error_after_a_hundred_warnings_still_refuses() -> None:
    program = read_text("G21\n" + "\n".join(f"G41 D{i} G0 X1" for i in range(150)) + "\nG1 X1\nM2")

    assert program.refused


def test_findings_stand_in_the_order_of_the_lines() -> None:
    program = milled("G1.7\nG1.8\nM999")
    lines = [finding.line for finding in program.findings]

    assert lines == sorted(lines)


@pytest.mark.parametrize(
    "text", ["%\nO1000 (PART)\nG21 G90 G0 X1\nM30\n%\nrubbish", "G21 G90 G0 X1\nM2\n?"]
)
def test_nothing_after_the_end_is_read(text: str) -> None:
    program = read_text(text)

    assert program.findings == ()
    assert len(steps(program)) == 1


def test_rates_of_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="more than zero"):
        Limits(rapid_mm_min=0)


def processor_seconds(source: bytes) -> float:
    """Return the best of three measurements."""
    took = []
    for _ in range(3):
        begun = process_time()
        read(source)
        took.append(process_time() - begun)
    return min(took)


def test_five_thousand_lines_are_read_before_anyone_notices() -> None:
    surface = "\n".join(f"N{i} G1 X{i % 100}.125 Y{i // 100} Z-{i % 7}.5" for i in range(5000))

    assert processor_seconds(f"G21 S1 M3 F500\n{surface}\nM30\n".encode()) < 0.15


@pytest.mark.parametrize("ugly", [b"(", b"O1IF\n", b"G1 X#", b"[\n", b"O", b"%\n", b"\n", b"9"])
def test_time_grows_no_faster_than_the_file(ugly: bytes) -> None:
    assert processor_seconds(ugly * 20_000) < 1.0


@pytest.mark.parametrize(
    "head",
    [
        "%",
        "%1234",
        "%O1234 (PLATE)",
        "%\nO1234 (PLATE)",
        "%\n<PLATE-1>(OP10)",
        "%_N_PLATE_MPF\n;$PATH=/_N_MPF_DIR",
        "$PLATE.MIN%\nO1234",
    ],
)
def test_the_line_in_front_of_a_program_is_read_as_the_controls_write_it(head: str) -> None:
    program = read_text(f"{head}\nG21 G90 G0 X1 Y1\nM30\n")

    assert program.findings == ()
    assert len(steps(program)) == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0  BEGIN PGM PLATE MM\n1  L X+10 R0 FMAX\n", "Heidenhain plain-language"),
        ("\nBEGIN PGM PLATE INCH\nL X+1 FMAX\n", "Heidenhain plain-language"),
        ("%PLATE G71 *\nN10 G00 G90 X+1*\n", "Heidenhain DIN/ISO"),
    ],
)
def test_a_program_in_another_language_is_refused_by_its_name(text: str, name: str) -> None:
    (wrong,) = read_text(text).findings

    assert wrong.severity is Severity.ERROR
    assert name in wrong.message
