"""Read a CSV or XLSX file into a header and rows of text."""

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cnc_station.engine.domain.text_gate import visible

MAX_BYTES = 20_000_000
MAX_UNPACKED = 100_000_000
MAX_MEMBERS = 5_000
MAX_ROWS = 50_000
MAX_SCANNED = 200_000  # spreadsheets often carry empty, formatted rows below the last one
MAX_COLUMNS = 200
MAX_COLUMN_NAME = 200  # characters
DELIMITERS = (",", ";", "\t", "|")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_EXCEL_ERRORS = frozenset(
    ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!")
)


class Unreadable(Exception):
    """The file is not a table that can be imported. The sentence states why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty, with trimmed cells. Rows are counted from 1 below the header, with
    empty ones, as in a spreadsheet."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as text. Column names are unique, never empty, and have no hidden character."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(content: bytes, *, telling: Callable[[str], bool]) -> Table:
    """Read a file. `telling` returns whether a column name is known: the delimiter of a CSV file is
    the one that gives the most known names. Raises Unreadable."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    if content.startswith(_OLD_EXCEL):
        raise Unreadable("This is an old or locked Excel file: save it as .xlsx or CSV.")
    if content.startswith(b"PK\x03\x04"):
        return _from_workbook(content)
    return _table(_csv_records(content, telling))


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        text = _eight_bit(content)
    if "\x00" in text:
        raise Unreadable("This is neither a CSV nor an XLSX file.")
    return text


def _eight_bit(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _csv_records(content: bytes, telling: Callable[[str], bool]) -> Iterator[list[str]]:
    text = _text(content)
    named, _, rest = text.partition("\n")
    if named.lower().startswith("sep=") and len(named.strip()) == 5:  # Excel's own hint
        return _records(rest, named[4])
    return _records(text, max(DELIMITERS, key=lambda delimiter: _promise(text, delimiter, telling)))


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise Unreadable(
            f"Line {reader.line_num} can't be read: a quotation mark is missing or misplaced, "
            f"or a cell is too long."
        ) from error


def _promise(text: str, delimiter: str, telling: Callable[[str], bool]) -> tuple[int, int]:
    """Return the number of known columns and of all columns with this delimiter."""
    try:
        header = next((record for record in _records(text, delimiter) if any(record)), [])
    except Unreadable:
        return (-1, 0)
    return (sum(telling(name.strip()) for name in header), len(header))


def _from_workbook(content: bytes) -> Table:
    import openpyxl  # noqa: PLC0415 - half a second, with numpy, that only workbooks need

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
        # zipfile never unpacks more of a member than its entry says, so the sum can be trusted
        if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED:
            raise Unreadable("The workbook unpacks to more than can be read safely.")
        workbook = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=True, keep_links=False
        )
        return _first_filled_sheet(workbook)
    except Unreadable:
        raise
    except Exception as error:  # openpyxl raises any exception for a damaged file
        raise Unreadable("The workbook is damaged, or is not an XLSX file.") from error


def _first_filled_sheet(workbook: Any) -> Table:
    table = Table((), ())
    for sheet in workbook.worksheets:
        sheet.reset_dimensions()  # some programs write wrong ones, and rows would be lost
        values = sheet.iter_rows(max_col=MAX_COLUMNS + 1, max_row=MAX_SCANNED + 2, values_only=True)
        table = _table(map(_texts, values))
        if table.columns:
            return table
    return table


def _texts(record: tuple[object, ...]) -> list[str]:
    if record.count(None) == len(record):  # most rows of a formatted sheet
        return []
    return [_as_text(value) for value in record]


def _as_text(value: object) -> str:
    """Return the value of a cell as a person would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case dt.datetime():
            text = value.isoformat(sep=" ", timespec="seconds")
            return text.removesuffix(" 00:00:00")
        case dt.timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return str(value)


def _table(records: Iterable[Sequence[str]]) -> Table:
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    number = 0
    for record in islice(records, MAX_SCANNED + 2):
        cells = tuple(cell.strip() for cell in record)
        filled = next((n for n in range(len(cells), 0, -1) if cells[n - 1]), 0)
        if not columns:
            columns = _distinct(cells[:filled])
            continue
        number += 1
        if filled:
            rows.append(Row(number, cells[: max(filled, len(columns))]))
        if len(rows) > MAX_ROWS:
            raise Unreadable(f"The table has more than {MAX_ROWS:,} rows: import it in parts.")
    if number > MAX_SCANNED:
        raise Unreadable("The sheet goes on for too long: delete the empty rows at its end.")
    return Table(columns, tuple(rows))


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > MAX_COLUMNS:
        raise Unreadable(f"The table has more than {MAX_COLUMNS} columns.")
    found: dict[str, None] = {}
    for place, name in enumerate(names, start=1):
        plain = visible(name, MAX_COLUMN_NAME, lines=True, escape=lambda _: "")
        wanted = unique = plain or f"Column {place}"
        copy = 1
        while unique in found:
            copy += 1
            unique = f"{wanted} ({copy})"
        found[unique] = None
    return tuple(found)


def is_spreadsheet_error(cell: str) -> bool:
    """Return whether a cell contains the error value of a formula."""
    return cell in _EXCEL_ERRORS
