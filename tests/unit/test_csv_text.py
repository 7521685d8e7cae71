"""What a table export writes is text for every spreadsheet, whatever it takes for a separator."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.csv_text import csv_lines, plain_text

FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
SEPARATORS = ",;\t|"
SKIPPED = ' "\ufeff\u200b\u200e\xa0\u3000'


def opened(content: bytes, separator: str) -> list[str]:
    """Return the cells that a spreadsheet finds."""
    text = io.StringIO(content.decode(), newline="")
    return [cell for row in csv.reader(text, delimiter=separator) for cell in row]


def formulas(cells: list[str]) -> list[str]:
    return [cell for cell in cells if cell.strip(" \t\r\n" + SKIPPED).startswith(tuple(FORMULA))]


@pytest.mark.parametrize("sign", FORMULA)
@pytest.mark.parametrize(
    "name", ["{}1+1", "a;{}1+1;b", "a\t{}1", "a|{}1", 'a;"{}1+1";b', "a,b;{}1"]
)
def test_no_spreadsheet_finds_a_formula(name: str, sign: str) -> None:
    for separator in SEPARATORS:
        assert formulas(opened(csv_lines([[17, name.format(sign), "steel"]]), separator)) == []


@given(st.lists(st.text(st.sampled_from("a1\n\r" + FORMULA + SEPARATORS + SKIPPED)), min_size=1))
def test_no_row_of_any_texts_has_a_formula_for_any_separator(cells: list[str]) -> None:
    content = csv_lines([[17, *cells, "steel"]])
    for separator in SEPARATORS:
        assert formulas(opened(content, separator)) == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("a;=1+1;b", "a;'=1+1;b"),
        ("\uff1d1", "'\uff1d1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        (" =1", " '=1"),
        ("Flange - left", "Flange - left"),
        ("op10, -5 mm; 3-4", "op10, -5 mm; 3-4"),
        ("Ölwanne", "Ölwanne"),
        ("", ""),
    ],
)
def test_only_what_could_be_a_formula_gets_an_apostrophe(text: str, written: str) -> None:
    assert plain_text(text) == written


def test_numbers_stay_numbers_and_nothing_stays_nothing() -> None:
    assert csv_lines([[-5, 1.5, None, True]]) == b"-5,1.5,,True\r\n"


def test_a_long_text_is_escaped_in_no_time() -> None:
    assert len(plain_text("\n \t;" * 50_000 + "=1")) == 200_004
