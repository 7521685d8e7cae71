"""The parts of an XLSX file, counted before openpyxl sees them.

openpyxl builds an object for every style, text and merged range that a file has: 140 KB can ask for
gigabytes. A part with too many elements is refused.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import IO, Any
from xml.parsers import expat

from cnc_station.engine.services.table_file import Unreadable

MAX_UNPACKED = 100_000_000
MAX_MEMBERS = 5_000
MAX_RATIO = 100  # real sheets: up to 20; of a part that unpacks to more than a little
_LITTLE = 5_000_000
_MAX_OPENED = 3  # times the cells of the largest sheet: it is opened for its size and its cells
_MAX_ATTRIBUTES = 200
_MAX_NAMES = 500  # of different elements
_MAX_TOKEN = 1_000_000  # bytes of a tag or a comment
_CHUNK = 1 << 16
_LOCKED = 0x1
_INSIDE = {name: name for name in ("row", "c", "f", "v")}
_MOST_FORMULAS = 100_000  # without values
_NEVER_CALCULATED = (
    "were never calculated: open it in Excel or LibreOffice and save it, or save it as CSV."
)
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


class CheckedArchive(zipfile.ZipFile):
    """A workbook whose parts are counted when they are opened for the first time."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.rows = 0
        self.not_calculated: frozenset[tuple[int, int]] = frozenset()  # of the part opened last
        self._formulas: dict[str, frozenset[tuple[int, int]]] = {}
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
                count = _count_part(part)
            counts = count.counts
            self._formulas[info.filename] = frozenset(count.not_calculated)
            self.rows = max(self.rows, counts.get("row", 0))
            self._cells[info.filename] = sum(counts.get(name, 0) for name in _CELLS)
        self.not_calculated = self._formulas[info.filename]
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


def _count_part(part: IO[bytes]) -> "_Count":
    """Count the elements of a part. Raises Unreadable."""
    count = _Count()
    fed = 0
    while chunk := part.read(_CHUNK):
        count.parser.Parse(chunk, False)
        fed += len(chunk)
        count.check()
        if fed - count.parser.CurrentByteIndex > _MAX_TOKEN + _CHUNK:
            raise Unreadable("The workbook has a part that is too long to be read safely.")
    count.parser.Parse(b"", True)
    count.cell_ends()
    count.check()
    return count


class _Count:
    """Counts the elements of an XML text by name, and finds the formulas without a value."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.not_calculated: set[tuple[int, int]] = set()  # row and column
        self._limits: _Limits | None = None
        self._row = self._column = 0
        self._cell: Sequence[str] = ()
        self._has_formula = self._has_value = False
        self.parser = expat.ParserCreate()
        self.parser.ordered_attributes = True
        self.parser.StartElementHandler = self._start
        self.parser.StartDoctypeDeclHandler = self._refuse_entities

    def _start(self, name: str, attributes: Any) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        if len(attributes) > 2 * _MAX_ATTRIBUTES:
            raise Unreadable("The workbook has an element with too many attributes.")
        inside = _INSIDE.get(name)
        if inside is None:
            inside = _INSIDE.get(_local(name)) if ":" in name else None
        if inside == "c":
            if self._has_formula:
                self.cell_ends()
            self._cell = attributes
            self._column += 1
        elif inside is not None:
            self._inside_sheet(inside, attributes)

    def _inside_sheet(self, name: str, attributes: Sequence[str]) -> None:
        if name == "row":
            self.cell_ends()
            self._check_order(attributes)
            self._column = 0
        elif name == "f":
            self._has_formula = True
        elif self._has_formula:
            self.parser.CharacterDataHandler = self._value

    def _value(self, text: str) -> None:
        self._has_value = self._has_value or bool(text.strip())

    def cell_ends(self) -> None:
        """Note the cell that was read if it has a formula and no value."""
        if not self._has_formula:
            return
        self.parser.CharacterDataHandler = None
        if not self._has_value:
            self.not_calculated.add((self._row, _column(self._cell, self._column)))
            if len(self.not_calculated) > _MOST_FORMULAS:
                raise Unreadable(f"The workbook's formulas {_NEVER_CALCULATED}")
        self._has_formula = self._has_value = False

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


def _column(attributes: Sequence[str], following: int) -> int:
    """Return the number of a cell's column, from 1: that of `AB12`; `following` without one."""
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        if name == "r":
            letters = value.rstrip("0123456789")
            if letters.isascii() and letters.isalpha() and len(letters) <= 3:
                return reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0)
    return following
