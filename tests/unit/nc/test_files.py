"""Programs as files have them: encodings, tapes, and files that are not G-code."""

import pytest

from cnc_station.engine.domain.nc import Severity, read
from cnc_station.engine.domain.nc.encoding import decoded
from tests.unit.nc.programs import errors, milled, steps, warnings

BODY = "G21 G90 G17\nT2 M6\nS800 M3\nG0 X3 Y4 Z9\nG1 Z-1 F90\nX11\nG0 Z40\nM30\n"
COMMENTS = [
    ("cp1252", "(Grundkörper, Fräser Ø8, größte Tiefe)"),
    ("cp1250", "(obudowa górna, część główna, frez 6)"),
    ("cp1251", "(Корпус верхний, установ 2, фреза 8 мм)"),
    ("cp932", "(上面加工 フラットエンドミル 表面)"),
    ("gb18030", "(底板 铣刀 直径8 粗加工 平口钳)"),
    ("utf-8", "(Корпус, größte Tiefe, 上面加工)"),
    ("utf-16", "(Deckel, größte Tiefe)"),
    ("utf-16-le", "(底板 铣刀 直径8)"),
    ("utf-16-be", "(Корпус)"),
]


@pytest.mark.parametrize(("encoding", "comment"), COMMENTS)
def test_comments_may_be_in_any_encoding(encoding: str, comment: str) -> None:
    text = f"%\nO77\n{(comment + chr(10)) * 9}{BODY}%\n"
    program = read(text.encode(encoding))

    assert program.findings == ()
    assert len(steps(program)) == 4
    assert comment in decoded(text.encode(encoding))


@pytest.mark.parametrize(
    "source",
    [
        b"\0" * 90 + b"%\nO77\n" + BODY.encode() + b"%\n" + b"\0" * 200,
        b"\x7f" * 30 + b"%\n" + BODY.encode() + b"%\n" + b"\x1a" * 100,
        BODY.replace("\n", "\r").encode(),
        BODY.replace("\n", "\r\n").encode() + b"\x1a",
        b"\xef\xbb\xbf" + BODY.encode(),
        b"LID REV C\n2026-11-30\n%\n" + BODY.encode() + b"%\n",
        b"%O0077 (LID)\n" + BODY.encode(),
        b"%LID_7\n" + BODY.encode(),
        BODY.replace("G1 Z", "G1\xa0Z").encode("cp1252"),
        BODY.replace("G1 Z", "G1\u3000Z\u200b").encode(),
    ],
)
def test_what_a_tape_or_an_editor_leaves_is_not_read(source: bytes) -> None:
    program = read(source)

    assert program.findings == ()
    assert len(steps(program)) == 4


@pytest.mark.parametrize(
    ("source", "line", "part"),
    [
        (b"$H\n" + BODY.encode(), 1, "a command to a Grbl controller (homing)"),
        (b"G21\n$120=300\nM2\n", 2, "(a setting)"),
        (b"1 L X+5 Y+5 R0 FMAX\n2 L Z-2 F90\n3 CC X+1 Y+2\n", 1, "Heidenhain plain-language"),
        (b'N1 G90\nN2 MSG("LID")\nN3 CYCLE81(9,0,2,-4)\nM30\n', 2, "Siemens program in its own"),
        (b"G0 X1\nVC1=5\nCALL OABC\nM2\n", 2, "Okuma"),
        (b"JS,3,1\nM2,5,6\nM3,5,6,7\nJ2,1,1\n", 1, "ShopBot"),
        (b"%PDF-1.7\n%abc\n1 0 obj\n", 0, "PDF"),
        (b"IN;SP1;PU10,20;PD30,40;\n", 0, "HP-GL"),
        (b"solid lid\n facet normal 0 0 1\n", 0, "STL"),
        ("G1 \u04255 F9\n".encode(), 1, "cyrillic capital letter ha"),
    ],
)
def test_what_is_not_g_code_is_one_finding_in_the_words_of_the_trade(
    source: bytes, line: int, part: str
) -> None:
    wrong = [found for found in read(source).findings if found.severity is Severity.ERROR]

    assert [(found.line, part in found.message) for found in wrong] == [(line, True)]


def test_what_is_not_supported_is_one_finding_however_often_it_is_used() -> None:
    assert errors(milled("G1\nX9 ,R2\nY9 ,R2\nX0 ,R2\nY0")) == [
        "corner rounding (,R) is not supported: program the corner"
    ]


@pytest.mark.parametrize("code", [37, 69, 81, 255, 998, 1234])
def test_an_m_code_of_the_machines_builder_is_warned_about_and_takes_a_second(code: int) -> None:
    program = milled(f"M{code}\nG0 X1")

    assert errors(program) == []
    assert any(f"M{code} is the machine's own command" in text for text in warnings(program))
    assert program.duration_s == pytest.approx(milled("G0 X1").duration_s + 1.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("O5\nM8\nG4 P20.\nM9\nM30\n", 20),
        ("S500 M3\nG4 P30\nS900\nG4 P30\nM5\nM30\n", 60),
        ("M31\nM30\n", 0),
    ],
)
def test_a_program_that_moves_nothing_is_a_job(text: str, seconds: float) -> None:
    program = read(text.encode())

    assert program.findings[0].message == "the program moves nothing"
    assert not program.refused
    assert program.duration_s == seconds
