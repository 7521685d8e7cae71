"""Read the sheets of an XLSX file as text, of an archive whose parts are counted."""

import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from openpyxl.reader.excel import ExcelReader

from cnc_station.engine.services.table_file import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_SCANNED,
    NOT_CALCULATED,
    Progress,
    Unreadable,
)
from cnc_station.engine.services.workbook_parts import MAX_MEMBERS, CheckedArchive

_TELL_EVERY = 1_000  # rows
_MOST_SHEETS = 100  # to look for jobs in
_ENTRY = b"PK\x01\x02"
_LIKE_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")  # 1.125: not 1125 in any language

Sheets = Iterable[tuple[str, Iterator[Sequence[str]]]]


@contextmanager
def opened(content: bytes, progress: Progress) -> Iterator[Sheets]:
    """Open a workbook: the titles of its sheets, visible ones first, and their rows as text while
    it is open. Raises Unreadable."""
    with _understood():
        if content.count(_ENTRY) > MAX_MEMBERS:
            raise Unreadable("The workbook has too many parts.")
        with CheckedArchive(content) as archive:
            reader = ExcelReader(
                io.BytesIO(content), read_only=True, data_only=True, keep_links=False
            )
            reader.archive.close()
            reader.archive = archive
            reader.read()
            found = sorted(reader.wb.worksheets, key=lambda each: each.sheet_state != "visible")
            yield (
                (str(sheet.title), _rows(sheet, archive, progress))
                for sheet in found[:_MOST_SHEETS]
            )


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # openpyxl raises any exception for a damaged file
        raise Unreadable("The workbook is damaged, or is not an XLSX file.") from error


def _rows(sheet: Any, archive: CheckedArchive, progress: Progress) -> Iterator[Sequence[str]]:
    sheet.reset_dimensions()  # some programs write wrong ones, and rows would be lost
    values: Iterable[tuple[object, ...]] = sheet.iter_rows(
        max_col=MAX_COLUMNS + 1, max_row=MAX_SCANNED + 2, values_only=True
    )
    with _understood():
        for place, record in enumerate(values):
            if place == 0:
                formulas = archive.not_calculated
                rows = frozenset(row for row, _ in formulas)
            if place % _TELL_EVERY == 0:
                progress(min(1.0, place / max(1, archive.rows)))
            if place + 1 in rows:
                record = tuple(  # noqa: PLW2901 - the same row with marks
                    NOT_CALCULATED if value is None and (place + 1, column) in formulas else value
                    for column, value in enumerate(record, 1)
                )
            yield _texts(record, place + 1)


def _texts(record: tuple[object, ...], number: int) -> list[str]:
    if record.count(None) == len(record):  # most rows of a formatted sheet
        return []
    cells = [_as_text(value) for value in record]
    if any(len(cell) > MAX_CELL for cell in cells):
        raise Unreadable(f"A cell in row {number} is longer than {MAX_CELL:,} characters.")
    return cells


def _as_text(value: object) -> str:
    """Return the value of a cell as a person would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return _number_text(value)
        case dt.datetime():
            text = value.isoformat(sep=" ", timespec="seconds")
            return text.removesuffix(" 00:00:00")
        case dt.timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return str(value)


def _number_text(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value)
    return f"{text}0" if _LIKE_THOUSANDS.fullmatch(text) else text
