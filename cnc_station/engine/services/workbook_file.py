"""Read the sheets of an XLSX file as text. Each part is counted before openpyxl sees it.

openpyxl builds an object for every style, text and merged range that a file has: 140 KB can ask for
gigabytes. It reads all parts through `_CheckedArchive`, which refuses one with too many elements.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from xml.parsers import expat

from openpyxl.reader.excel import ExcelReader

from cnc_station.engine.services.table_file import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_SCANNED,
    Progress,
    Unreadable,
)

MAX_UNPACKED = 100_000_000
MAX_MEMBERS = 5_000
MAX_RATIO = 100  # real sheets: up to 20; of a part that unpacks to more than a little
_LITTLE = 5_000_000
_MAX_OPENED = 3  # times the cells of the largest sheet: it is opened for its size and its cells
_MAX_ATTRIBUTES = 200
_MAX_NAMES = 500  # of different elements
_MAX_TOKEN = 1_000_000  # bytes of a tag or a comment
_CHUNK = 1 << 16
_TELL_EVERY = 1_000  # rows
_ENTRY = b"PK\x01\x02"
_LOCKED = 0x1
_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))


@dataclass(frozen=True, slots=True)
class _Limits:
    """The most elements of a part: of those named in `several`, and of all others. `what` they
    are, for a person."""

    what: str
    others: int
    several: frozenset[str] = frozenset()
    most: int = 0


_CELLS = frozenset(("c", "row"))
_IN_CELLS = frozenset(("v", "f", "is", "t", "r", "rPr"))
_BY_ROOT = {
    "worksheet": _Limits("cells", 200_000, _CELLS, 2_200_000),
    "sst": _Limits("texts", 1_000_000, frozenset(("si",)), 500_000),
    "styleSheet": _Limits("styles", 200_000),
}
_REST = _Limits("parts", 50_000)


def sheets(content: bytes, progress: Progress) -> Iterator[Iterator[Sequence[str]]]:
    """Yield the rows of each sheet as text. Raises Unreadable."""
    with _understood():
        if content.count(_ENTRY) > MAX_MEMBERS:
            raise Unreadable("The workbook has too many parts.")
        with _CheckedArchive(content) as archive:
            reader = ExcelReader(
                io.BytesIO(content), read_only=True, data_only=True, keep_links=False
            )
            reader.archive.close()
            reader.archive = archive
            reader.read()
            for sheet in reader.wb.worksheets:
                yield _rows(sheet, archive, progress)


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # openpyxl raises any exception for a damaged file
        raise Unreadable("The workbook is damaged, or is not an XLSX file.") from error


class _CheckedArchive(zipfile.ZipFile):
    """A workbook whose parts are counted when they are opened for the first time."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.rows = 0
        self._cells: dict[str, int] = {}  # of a part
        self._opened = 0  # cells: many sheets can be one part
        members = self.infolist()
        # zipfile never unpacks more of a member than its entry says, so the sum can be trusted
        if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED:
            raise Unreadable("The workbook unpacks to more than can be read safely.")
        if len({member.filename for member in members}) < len(members):
            raise Unreadable("The workbook has two parts of one name: which one is meant?")
        for member in members:
            _check_member(member)

    def open(
        self,
        name: Any,
        mode: str = "r",  # noqa: ARG002 - only read
        pwd: bytes | None = None,
        **options: Any,
    ) -> IO[bytes]:
        info = self.getinfo(name) if isinstance(name, str) else name
        if info.filename not in self._cells:
            with super().open(info, "r", pwd) as part:
                counts = _count_part(part)
            self.rows = max(self.rows, counts.get("row", 0))
            self._cells[info.filename] = sum(counts.get(name, 0) for name in _CELLS)
        self._opened += self._cells[info.filename]
        if self._opened > _MAX_OPENED * _BY_ROOT["worksheet"].most:
            raise Unreadable("The workbook has more cells than can be read safely.")
        return super().open(info, "r", pwd, **options)


def _check_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _LOCKED:
        raise Unreadable("The workbook is locked with a password: save it without one.")
    if member.compress_type not in _METHODS:
        raise Unreadable("The workbook is packed in an unusual way: save it again, or as CSV.")
    if member.file_size > max(_LITTLE, MAX_RATIO * member.compress_size):
        raise Unreadable("The workbook unpacks to more than can be read safely.")


def _count_part(part: IO[bytes]) -> Mapping[str, int]:
    """Return how often each element is in a part. Raises Unreadable."""
    count = _Count()
    fed = 0
    while chunk := part.read(_CHUNK):
        count.parser.Parse(chunk, False)
        fed += len(chunk)
        count.check()
        if fed - count.parser.CurrentByteIndex > _MAX_TOKEN + _CHUNK:
            raise Unreadable("The workbook has a part that is too long to be read safely.")
    count.parser.Parse(b"", True)
    count.check()
    return count.counts


class _Count:
    """Counts the elements of an XML text by name."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._limits: _Limits | None = None
        self._row = 0
        self.parser = expat.ParserCreate()
        self.parser.ordered_attributes = True
        self.parser.StartElementHandler = self._start
        self.parser.StartDoctypeDeclHandler = self._refuse_entities

    def _start(self, name: str, attributes: Any) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        if len(attributes) > 2 * _MAX_ATTRIBUTES:
            raise Unreadable("The workbook has an element with too many attributes.")
        if name == "row" or name.endswith(":row"):
            self._check_order(attributes)

    def _check_order(self, attributes: Sequence[str]) -> None:
        """Raise Unreadable if a row stands before the one above it: openpyxl would leave it out."""
        stated = dict(zip(attributes[::2], attributes[1::2], strict=True)).get("r", "")
        number = int(stated) if stated.isdecimal() and len(stated) < 10 else self._row + 1
        if number <= self._row:
            raise Unreadable(f"Row {number} of the workbook is not in its place: save it again.")
        self._row = number

    def _refuse_entities(self, *_: object) -> None:
        raise Unreadable("The workbook is damaged: a part of it declares its own entities.")

    def check(self) -> None:
        """Raise Unreadable if there are too many elements so far."""
        if self._limits is None and self.counts:
            self._limits = _BY_ROOT.get(_local(next(iter(self.counts))), _REST)
        limits = self._limits or _REST
        several = others = inside = 0
        for name, count in self.counts.items():
            local = _local(name)
            if local in limits.several:
                several += count
            elif local in _IN_CELLS and limits.several is _CELLS:
                inside += count
            else:
                others += count
        most = limits.most
        if several > most or others > limits.others or inside > 4 * most or self._many_names():
            raise Unreadable(f"The workbook has more {limits.what} than can be read safely.")

    def _many_names(self) -> bool:
        return len(self.counts) > _MAX_NAMES


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _rows(sheet: Any, archive: _CheckedArchive, progress: Progress) -> Iterator[Sequence[str]]:
    sheet.reset_dimensions()  # some programs write wrong ones, and rows would be lost
    values: Iterable[tuple[object, ...]] = sheet.iter_rows(
        max_col=MAX_COLUMNS + 1, max_row=MAX_SCANNED + 2, values_only=True
    )
    with _understood():
        for place, record in enumerate(values):
            if place % _TELL_EVERY == 0:
                progress(min(1.0, place / max(1, archive.rows)))
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
