"""Read a CSV or XLSX file into a header and rows of text, within limits.

A station reads tables of people in a process of their own: see `table_child`.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, islice

from cnc_station.engine.domain.tables.header import HEAD_ROWS, Header, find_header
from cnc_station.engine.domain.tables.table import Row, Table
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.outside_file import MOST_TABLE_BYTES, size_text

MAX_ROWS = 50_000
MAX_SCANNED = 200_000  # spreadsheets often carry empty, formatted rows below the last one
MAX_COLUMNS = 200
MAX_CELLS = 2_000_000
MAX_CELL = 32_767  # characters, as in Excel
MAX_LINE = 1_000_000  # characters of a row
MAX_TEXT = 20_000_000  # characters of all cells: a workbook stores a text once and shows it often
MAX_COLUMN_NAME = 200  # characters
DELIMITERS = (",", ";", "\t", "|")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
NOT_CALCULATED = "#NOT CALCULATED!"  # a formula whose value the workbook does not have
_EXCEL_ERRORS = frozenset(
    (NOT_CALCULATED, "#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!")
)
_TELL_EVERY = 1_000  # rows
_KNOWN_COLUMNS = 2  # of a sheet with jobs
_MOST_NOTES = 20  # about other sheets

Progress = Callable[[float], None]


class Unreadable(Exception):
    """The file is not a table that can be imported. The sentence states why."""


def read_table(
    content: bytes, wanted: Set[str] = frozenset(), progress: Progress = lambda _: None
) -> Table:
    """Read a file. `wanted` are names of columns in addition to the known ones: the delimiter of a
    CSV file is the one that gives the most of them. `progress` is told the part that is read, from
    0 to 1. Raises Unreadable."""
    if len(content) > MOST_TABLE_BYTES:
        raise Unreadable(f"The file is larger than {size_text(MOST_TABLE_BYTES)}.")
    if content.startswith(_OLD_EXCEL):
        raise Unreadable("This is an old or locked Excel file: save it as .xlsx or CSV.")
    if content.startswith(b"PK\x03\x04"):
        return _read_workbook(content, wanted, progress)
    return _table(_Sheet.of("", _csv_records(_Text(content), wanted, progress), wanted))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The rows of a sheet, of which the first ones were read to find its header."""

    title: str
    head: list[Sequence[str]]
    rest: Iterator[Sequence[str]]
    header: Header | None

    @classmethod
    def of(cls, title: str, records: Iterator[Sequence[str]], wanted: Set[str]) -> "_Sheet":
        """Read the first rows that are not empty, and the empty ones above and between them."""
        head: list[Sequence[str]] = []
        filled = 0
        for record in islice(records, MAX_SCANNED + 2):
            head.append(record)
            filled += any(cell.strip() for cell in record)
            if filled == HEAD_ROWS:
                break
        return cls(title, head, records, _header(head, wanted))

    @property
    def is_table(self) -> bool:
        """Whether it has known columns and a row below them."""
        if self.header is None or self.header.known < _KNOWN_COLUMNS:
            return False
        return any(map(any, self.head[self.header.end :]))

    @property
    def promise(self) -> tuple[bool, int, bool]:
        """How sure it is that this is the sheet with the jobs."""
        known = self.header.known if self.header else 0
        return (self.is_table, known, self.header is not None)


def _header(head: list[Sequence[str]], wanted: Set[str]) -> Header | None:
    """Return the header in these rows, counted with the empty ones."""
    filled = [place for place, record in enumerate(head) if any(cell.strip() for cell in record)]
    first = filled[0] if filled else 0
    found = find_header(head[first:], wanted)
    return replace(found, start=found.start + first) if found else None


def _read_workbook(content: bytes, wanted: Set[str], progress: Progress) -> Table:
    from cnc_station.engine.services import workbook_file  # noqa: PLC0415 - loads openpyxl

    with workbook_file.opened(content, progress) as sheets:
        found = [_Sheet.of(title, rows, wanted) for title, rows in sheets]
        if not found:
            return Table((), ())
        best = max(found, key=lambda sheet: sheet.promise)
        left = [sheet.title for sheet in found if sheet.is_table and sheet is not best]
        notes = tuple(
            f"the sheet {visible(title, MAX_COLUMN_NAME)} has jobs too: only "
            f"{visible(best.title, MAX_COLUMN_NAME)} is read"
            for title in left[:_MOST_NOTES]
        )
        return replace(_table(best), notes=notes)


class _Text:
    """The text of a CSV file, decoded while it is read."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._encoding = "utf-16"
        elif b"\x00" in content:
            raise Unreadable("This is neither a CSV nor an XLSX file.")
        else:
            self._encoding = _eight_bit(content)
        start = self.lines()
        named = start.readline(MAX_LINE)
        hint = named.lower().startswith("sep=") and len(named.strip()) == 5  # Excel's own
        self.delimiter = named[4] if hint else None

    def lines(self) -> io.TextIOWrapper:
        """Return the text from its beginning."""
        raw = io.BytesIO(self._content)
        return io.TextIOWrapper(raw, self._encoding, errors="replace", newline="")

    def part(self, lines: io.TextIOWrapper) -> float:
        """Return how much of the text was read, from 0 to 1."""
        raw = lines.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.tell() / len(self._content)


def _eight_bit(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


class _Lines:
    """Lines for the CSV reader, which raise Unreadable when one row is too long."""

    def __init__(self, lines: io.TextIOWrapper) -> None:
        self._lines = lines
        self._number = 0
        self._taken = 0  # characters of this row

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._lines.readline(MAX_LINE + 1)
        self._number += 1
        self._taken += len(line)
        if self._taken > MAX_LINE:
            raise Unreadable(f"Line {self._number} is longer than {MAX_LINE:,} characters.")
        if "\x00" in line:
            raise Unreadable("This is neither a CSV nor an XLSX file.")
        if not line:
            raise StopIteration
        return line

    def row_ends(self) -> None:
        self._taken = 0


def _csv_records(text: _Text, wanted: Set[str], progress: Progress) -> Iterator[list[str]]:
    delimiter = text.delimiter
    if delimiter is None:
        delimiter = max(DELIMITERS, key=lambda each: _promise(text, each, wanted))
    lines = text.lines()
    if text.delimiter is not None:
        lines.readline()
    for place, record in enumerate(_records(lines, delimiter)):
        if place % _TELL_EVERY == 0:
            progress(text.part(lines))
        yield record


def _records(text: io.TextIOWrapper, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_CELL)
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for record in reader:
            lines.row_ends()
            yield record
    except csv.Error as error:
        raise Unreadable(
            f"Line {reader.line_num} can't be read: a quotation mark is missing or misplaced, "
            f"or a cell is too long."
        ) from error


def _promise(text: _Text, delimiter: str, wanted: Set[str]) -> tuple[int, int]:
    """Return the number of known columns and of all columns with this delimiter."""
    try:
        sheet = _Sheet.of("", _records(text.lines(), delimiter), wanted)
    except Unreadable:
        return (-1, 0)
    header = sheet.header
    return (header.known, len(header.names)) if header else (0, 0)


def _table(sheet: _Sheet) -> Table:
    if sheet.header is None:
        return Table((), ())
    columns = _distinct(sheet.header.names)
    rows: list[Row] = []
    number = count = length = 0
    records: Iterable[Sequence[str]] = chain(sheet.head[sheet.header.end :], sheet.rest)
    for record in islice(records, MAX_SCANNED + 2 - sheet.header.end):
        cells = tuple(cell.strip() for cell in record)
        filled = next((n for n in range(len(cells), 0, -1) if cells[n - 1]), 0)
        number += 1
        if filled:
            cells = cells[: max(filled, len(columns))]
            rows.append(Row(number, cells))
            count += len(cells)
            length += sum(map(len, cells))
        _check_size(len(rows), count, length)
    if number > MAX_SCANNED:
        raise Unreadable("The sheet goes on for too long: delete the empty rows at its end.")
    return Table(columns, tuple(rows))


def _check_size(rows: int, cells: int, length: int) -> None:
    if rows > MAX_ROWS:
        raise Unreadable(f"The table has more than {MAX_ROWS:,} rows: import it in parts.")
    if cells > MAX_CELLS:
        raise Unreadable(f"The table has more than {MAX_CELLS:,} cells: import it in parts.")
    if length > MAX_TEXT:
        raise Unreadable(f"The table has more than {MAX_TEXT:,} characters: import it in parts.")


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
