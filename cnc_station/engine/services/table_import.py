"""Jobs from a CSV or XLSX table: a preview with all issues, and the jobs if there are none.

Reading the largest table allowed takes seconds: call it on a thread.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

from cnc_station.engine.domain import table_values as values
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.import_fields import (
    IMPORT_FIELDS,
    IMPORT_LABELS,
    guess_mapping,
    unit_seconds,
)
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.text_gate import is_tidy, tidy, visible
from cnc_station.engine.services.table_file import (
    Row,
    Table,
    Unreadable,
    is_spreadsheet_error,
    read_table,
)
from cnc_station.engine.services.table_routing import Draft, Issues, linked, split_names
from cnc_station.engine.views import ImportIssue, ImportPreview, ProgramRow

PREVIEW_ROWS = 50
ISSUES_KEPT = 1_000
_MOST_ISSUES = 20_000
_LONGEST_VALUE = 200  # of a cell that is not free text
_TIMES = frozenset(("due_at", "not_before"))
_FREE_TEXT = frozenset(("payload", "after", "description", "notes"))
_LONGEST_NAME = 100  # of the file, in an event

Parser = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What an import needs to know. `now` is in ms. `zone` is that of the times in the table; None:
    this computer's. `program` returns the newest stored program of a file name, `machine` the id
    of a machine name; both return None if there is none."""

    now: int
    zone: dt.tzinfo | None
    program: Callable[[str], ProgramRow | None]
    machine: Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class Imported:
    """A table that was read. `specs` has a job for every row; it is empty if there is an issue."""

    preview: ImportPreview
    specs: tuple[JobSpec, ...] = ()

    def accepted(self) -> tuple[JobSpec, ...]:
        """Return the jobs. Raises InvalidInput with all issues, or if there is no row."""
        if not self.preview.ready:
            raise InvalidInput(*(FieldError(*_said(issue)) for issue in self.preview.issues))
        return self.specs


def read_jobs(
    name: str,
    content: bytes,
    shop: ImportContext,
    mapping: Mapping[str, str] | None = None,
    read: Callable[[bytes, Set[str]], Table] = read_table,
) -> Imported:
    """Read the table in a file of this name. `mapping` is field -> column; None guesses it from the
    column names. `read` is `read_table`, perhaps in another process. Never raises for bad content:
    the preview has the issues."""
    try:
        table = read(content, frozenset((mapping or {}).values()))
    except Unreadable as error:
        return _refused(str(error))
    if not table.rows:
        return _refused("There is no row below the names of the columns.", table.columns)
    if mapping is None:
        used = guess_mapping(table.columns)
    else:
        used = {field: column for field, column in mapping.items() if column}
    issues = Issues(_mapping_issues(table, used))
    specs: tuple[JobSpec, ...] = ()
    notes = Issues()
    if not issues:
        reader = _Reader(name, table, used, shop, issues)
        drafts = list(reader.drafts())
        if len(drafts) == len(table.rows):
            specs = linked(drafts, used.get("after", IMPORT_LABELS["after"]), issues)
        notes = reader.notes
    empty = ("",) * len(table.columns)
    preview = ImportPreview(
        columns=table.columns,
        mapping=used,
        rows=tuple((row.cells + empty)[: len(empty)] for row in table.rows[:PREVIEW_ROWS]),
        total=len(table.rows),
        issues=_first_issues(issues),
        notes=_first_issues(notes),
    )
    return Imported(preview, () if issues else specs)


def _refused(sentence: str, columns: tuple[str, ...] = ()) -> Imported:
    return Imported(ImportPreview(columns, {}, (), 0, (ImportIssue(0, "", sentence),)))


def _said(issue: ImportIssue) -> tuple[str, str]:
    where = f"row {issue.row}" if issue.row else "table"
    return (f"{where}, {issue.column}" if issue.column else where, issue.message)


def _mapping_issues(table: Table, mapping: Mapping[str, str]) -> list[ImportIssue]:
    issues = [
        ImportIssue(0, column, f"there is no such column for {field}")
        for field, column in mapping.items()
        if column not in table.columns
    ]
    issues += [
        ImportIssue(0, column, f"a job has no field {field}")
        for field, column in mapping.items()
        if field not in IMPORT_LABELS
    ]
    issues += [
        ImportIssue(0, "", f"No column is chosen for: {field.label}.")
        for field in IMPORT_FIELDS
        if field.wanted and field.name not in mapping
    ]
    return issues


def _first_issues(issues: list[ImportIssue]) -> tuple[ImportIssue, ...]:
    issues.sort(key=lambda issue: issue.row)
    if len(issues) <= ISSUES_KEPT:
        return tuple(issues)
    least = "at least " if len(issues) > _MOST_ISSUES else ""
    more = ImportIssue(0, "", f"and {least}{len(issues) - ISSUES_KEPT:,} more issues")
    return (*issues[:ISSUES_KEPT], more)


class _Reader:
    """Converts rows to jobs, and collects the issues."""

    def __init__(
        self,
        name: str,
        table: Table,
        mapping: Mapping[str, str],
        shop: ImportContext,
        issues: Issues,
    ) -> None:
        self._name = visible(name, _LONGEST_NAME)
        self._table = table
        self._mapping = mapping
        self._shop = shop
        self._issues = issues
        self.notes = Issues()
        places = ((table.columns.index(column), field) for field, column in mapping.items())
        self._fields = sorted(places)
        self._parsers = self._parsers_by_field()
        self._programs: dict[str, ProgramRow | None] = {}

    def _parsers_by_field(self) -> Mapping[str, Parser]:
        moment = partial(values.moment, now=self._shop.now, zone=self._shop.zone)
        return {
            "complexity": values.whole,
            "priority": values.priority,
            "quantity": values.whole,
            "axes": values.whole,
            "retry_limit": values.whole,
            "estimated_s": self._duration("estimated_s"),
            "timeout_s": self._duration("timeout_s"),
            "due_at": moment,
            "not_before": partial(moment, ends_day=False),
            "envelope": values.envelope,
            "payload": values.payload,
            "draft": values.yes_or_no,
            "program": self._program,
            "pinned_machine_id": self._machine,
            "after": split_names,
        }

    def _duration(self, field: str) -> Parser:
        return partial(values.seconds, unit_s=unit_seconds(self._mapping.get(field, "")))

    def _program(self, name: str) -> ProgramRow:
        if name not in self._programs:
            bare = name.replace("\\", "/").rpartition("/")[2]
            self._programs[name] = self._shop.program(name) or self._shop.program(bare)
        if (found := self._programs[name]) is None:
            raise ValueError(f"there is no program {values.shown(name)}: add it first")
        return found

    def _machine(self, name: str) -> int:
        if (found := self._shop.machine(name)) is None:
            raise ValueError(f"there is no machine {values.shown(name)}")
        return found

    def drafts(self) -> Iterator[Draft]:
        """Yield a draft for each row, until there are more issues than anyone will read."""
        for row in self._table.rows:
            if len(self._issues) > _MOST_ISSUES:
                return
            yield self._draft(row)

    def _draft(self, row: Row) -> Draft:
        if len(row.cells) > len(self._table.columns):
            self._add_issue(row, "", "has more cells than there are columns")
        found, bad = self._values(row)
        after = found.pop("after", ())
        program: ProgramRow | None = found.pop("program", None)
        if program:
            found["program"] = program.sha256
            found.setdefault("estimated_s", program.duration_s)
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
        for place, field in self._fields:
            text = row.cells[place] if place < len(row.cells) else ""
            if not is_tidy(text) and field not in _FREE_TEXT:
                text = tidy(text, lines=True)
            if not text:
                continue
            try:
                found[field] = self._value(field, text)
                self._note(row, field, text)
            except ValueError as error:
                self._add_issue(row, field, str(error))
                bad.add(field)
        return found, bad

    def _note(self, row: Row, field: str, text: str) -> None:
        if field in _TIMES and (note := values.moment_note(text, self._shop.now, self._shop.zone)):
            self.notes.append(ImportIssue(row.number, self._mapping[field], note))

    def _value(self, field: str, text: str) -> Any:
        if is_spreadsheet_error(text):
            raise ValueError(f"the formula in this cell has failed: {text}")
        parse = self._parsers.get(field)
        if parse is None:
            return text
        if len(text) > _LONGEST_VALUE and field not in _FREE_TEXT:
            raise ValueError(f"{values.shown(text)} is too long")
        return parse(text)

    def _add_issue(self, row: Row, field: str, reason: str) -> None:
        column = self._mapping.get(field, IMPORT_LABELS.get(field, field))
        self._issues.append(ImportIssue(row.number, column, reason))
