"""Convert the rows of a table of jobs, and collect the issues."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from cnc_station.engine.domain import table_values as values
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.import_fields import IMPORT_LABELS
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.tables.column_formats import DATES, ColumnFormats
from cnc_station.engine.domain.tables.machine_types import machine_type_of
from cnc_station.engine.domain.tables.numbers import pieces, whole
from cnc_station.engine.domain.tables.refused_cell import shown
from cnc_station.engine.domain.tables.shapes import Shape
from cnc_station.engine.domain.tables.table import Row, Table
from cnc_station.engine.domain.tables.units import TimeUnit, is_total, time_unit, unit_of_column
from cnc_station.engine.domain.text_gate import is_tidy, tidy, visible
from cnc_station.engine.services.table_file import NOT_CALCULATED, is_spreadsheet_error
from cnc_station.engine.services.table_programs import MissingProgram, TablePrograms
from cnc_station.engine.services.table_routing import Draft, Issues, split_names
from cnc_station.engine.views import ImportIssue, ProgramRow

if TYPE_CHECKING:
    from cnc_station.engine.services.table_import import ImportContext

_LONGEST_VALUE = 200  # of a cell that is not free text
_FREE_TEXT = frozenset(("payload", "after", "description", "notes"))
_OFTEN_THE_SAME = frozenset((*DATES, "quantity", "estimated_s", "priority"))
_MOST_READ = 10_000  # different cells
_LONGEST_NAME = 100  # of the file, in an event

Parser = Callable[[str], Any]


class RowReader:
    """Converts rows to drafts of jobs. `missing` are the programs that are not stored."""

    MOST_ISSUES: ClassVar = 20_000

    def __init__(
        self,
        name: str,
        table: Table,
        mapping: Mapping[str, str],
        shop: "ImportContext",
        shape: Shape | None,
        formats: ColumnFormats,
        issues: Issues,
    ) -> None:
        self._name = visible(name, _LONGEST_NAME)
        self._columns = len(table.columns)
        self._mapping = mapping
        self._shop = shop
        self._formats = formats
        self._issues = issues
        self.notes = Issues()
        places = ((table.columns.index(column), field) for field, column in mapping.items())
        self._fields = sorted(places)
        self._units = {field: self._unit(field, shape) for field in ("estimated_s", "timeout_s")}
        self._programs = TablePrograms(shop.program, shop.beside, issues)
        self._parsers = self._parsers_by_field()
        self._types: dict[str, str | int] = {}
        self._known_types = frozenset(kind.lower() for kind in shop.machine_types.values())
        self._unit_told = False
        self._read: dict[tuple[str, str], Any] = {}  # values of cells that occur often

    @property
    def missing(self) -> Iterable[str]:
        return self._programs.missing

    def _unit(self, field: str, shape: Shape | None) -> TimeUnit | None:
        column = self._mapping.get(field, "")
        found = unit_of_column(column)
        usual = shape.unit(column) if shape is not None else None
        if found is None:
            return usual or (TimeUnit(whole=True) if is_total(column) else None)
        if usual is not None and usual.whole and not found.per_piece:
            return replace(found, whole=True)
        return found

    def _parsers_by_field(self) -> Mapping[str, Parser]:
        moment = partial(values.moment, now=self._shop.now, zone=self._shop.zone)
        orders, serials = self._formats.orders, self._formats.serials
        dates = {
            field: partial(
                moment,
                ends_day=field == "due_at",
                order=orders.get(field),
                serials=field in serials,
            )
            for field in DATES
        }
        return {
            **dates,
            "complexity": whole,
            "priority": values.priority,
            "quantity": partial(pieces, sign=self._formats.signs.get("quantity")),
            "axes": whole,
            "retry_limit": whole,
            "estimated_s": partial(self._duration, "estimated_s"),
            "timeout_s": self._limit,
            "time_unit": _time_unit,
            "envelope": values.envelope,
            "payload": values.payload,
            "draft": values.yes_or_no,
            "program": self._programs.find,
            "pinned_machine_id": self._machine,
            "after": split_names,
        }

    def drafts(self, rows: Iterable[Row]) -> Iterator[Draft]:
        """Yield a draft for each row, until there are more issues than anyone will read."""
        for row in rows:
            if len(self._issues) > self.MOST_ISSUES:
                return
            yield self._draft(row)
        self._programs.name_other_rows(self._mapping.get("program", ""))

    def _draft(self, row: Row) -> Draft:
        if len(row.cells) > self._columns:
            self._add_issue(row, "", "has more cells than there are columns")
        found, bad = self._values(row)
        after = found.pop("after", ())
        program: ProgramRow | None = found.pop("program", None)
        self._set_time(row, found, bad)
        if program:
            found["program"] = program.sha256
            found.setdefault("estimated_s", program.duration_s)
        if self._shop.machine_types or self._shop.machine(found["machine_type"]) is not None:
            self._place(row, found, bad)
        spec = JobSpec(**found, source=f"imported from {self._name}, row {row.number}")
        try:
            spec = spec.validated()
        except InvalidInput as refused:
            for error in refused.errors:
                if error.field not in bad:
                    self._add_issue(row, error.field, error.reason)
        return Draft(row.number, spec, after)

    def _values(self, row: Row) -> tuple[dict[str, Any], set[str]]:
        """Return the values of the cells, and the fields that could not be read."""
        found: dict[str, Any] = {"name": "", "machine_type": ""}
        bad = set()
        cells = row.cells
        for place, field in self._fields:
            text = cells[place] if place < len(cells) else ""
            if not is_tidy(text) and field not in _FREE_TEXT:
                text = tidy(text, lines=True)
            if not text:
                continue
            try:
                if field in _OFTEN_THE_SAME and (field, text) in self._read:
                    found[field] = self._read[(field, text)]
                    continue
                found[field] = self._value(field, text)
                if field in DATES and self._note_time(row, field, text):
                    continue
                if field in _OFTEN_THE_SAME and len(self._read) < _MOST_READ:
                    self._read[(field, text)] = found[field]
            except MissingProgram as missing:
                bad.add(field)
                self._programs.note(row.number, self._mapping[field], missing)
            except ValueError as error:
                self._add_issue(row, field, str(error))
                bad.add(field)
        return found, bad

    def _value(self, field: str, text: str) -> Any:
        if text[0] == "#" and is_spreadsheet_error(text):
            if text == NOT_CALCULATED:
                raise ValueError(
                    "the formula in this cell was never calculated: open the file in Excel or "
                    "LibreOffice and save it"
                )
            raise ValueError(f"the formula in this cell has failed: {text}")
        parse = self._parsers.get(field)
        if parse is None:
            return text
        if len(text) > _LONGEST_VALUE and field not in _FREE_TEXT:
            raise ValueError(f"{shown(text)} is too long")
        return parse(text)

    def _note_time(self, row: Row, field: str, text: str) -> bool:
        order = self._formats.orders.get(field)
        note = values.moment_note(text, self._shop.now, self._shop.zone, order)
        if note:
            self.notes.append(ImportIssue(row.number, self._mapping[field], note))
        return bool(note)

    def _duration(self, field: str, text: str) -> tuple[float, TimeUnit]:
        unit = self._units[field] or TimeUnit()
        return values.duration(text, unit, self._formats.signs.get(field))

    def _limit(self, text: str) -> float:
        amount, unit = self._duration("timeout_s", text)
        return unit.per_part(amount, 1)

    def _set_time(self, row: Row, found: dict[str, Any], bad: set[str]) -> None:
        """Convert the time, which may depend on the quantity and on a column with its unit."""
        stated: TimeUnit | None = found.pop("time_unit", None)
        if "estimated_s" not in found:
            return
        amount, unit = found.pop("estimated_s")
        if unit.seconds is None and not unit.clock:
            if stated is not None:
                unit = replace(stated, whole=stated.whole or unit.whole)
            else:
                self._tell_unit()
        try:
            found["estimated_s"] = unit.per_part(amount, found.get("quantity", 1))
        except ValueError as error:
            self._add_issue(row, "estimated_s", str(error))
            bad.add("estimated_s")

    def _tell_unit(self) -> None:
        if not self._unit_told:
            self._unit_told = True
            message = "the column does not state its unit: read as seconds"
            self.notes.append(ImportIssue(0, self._mapping["estimated_s"], message))

    def _place(self, row: Row, found: dict[str, Any], bad: set[str]) -> None:
        """Bind a job to a machine if its type is the name of one."""
        text = found["machine_type"]
        if not text or "handler" in found or "machine_type" in bad:
            return
        if text not in self._types:
            self._types[text] = self._type_or_machine(row, text)
        place = self._types[text]
        if isinstance(place, str):
            found["machine_type"] = place
            return
        kind = self._shop.machine_types.get(place)
        if kind is None:
            self._add_issue(
                row,
                "machine_type",
                f"{shown(text)} is a machine, not a type: choose the column for "
                f"{IMPORT_LABELS['pinned_machine_id']}",
            )
            return
        found["machine_type"] = kind
        found.setdefault("pinned_machine_id", place)

    def _type_or_machine(self, row: Row, text: str) -> str | int:
        """Return the type, or the id of the machine of this name. Notes what it is, once."""
        column = self._mapping.get("machine_type", "")
        if text.lower() in self._known_types:
            return text
        if (machine := self._shop.machine(text)) is not None:
            if machine in self._shop.machine_types:
                note = f"{shown(text)} is a machine: its jobs run on this machine only"
                self.notes.append(ImportIssue(row.number, column, note))
            return machine
        if (kind := machine_type_of(text)) in self._known_types:
            note = f"{shown(text)} is read as the machine type {kind}"
            self.notes.append(ImportIssue(row.number, column, note))
            return kind
        note = f"no machine is of the type {shown(text.lower())}: its jobs wait until one is"
        self.notes.append(ImportIssue(row.number, column, note))
        return text

    def _machine(self, name: str) -> int:
        if (found := self._shop.machine(name)) is None:
            raise ValueError(f"there is no machine {shown(name)}")
        return found

    def _add_issue(self, row: Row, field: str, reason: str) -> None:
        column = self._mapping.get(field, IMPORT_LABELS.get(field, field))
        self._issues.append(ImportIssue(row.number, column, reason))


def _time_unit(text: str) -> TimeUnit:
    found = time_unit(text)
    if found is None:
        raise ValueError(f"{shown(text)} is not a unit of time")
    return found
