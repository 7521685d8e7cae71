"""Jobs from a CSV or XLSX table: a preview with all issues, and the jobs if there are none.

Reading the largest table allowed takes seconds: call it on a thread.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.import_fields import (
    IMPORT_FIELDS,
    IMPORT_LABELS,
    guess_mapping,
    header_fingerprint,
)
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.tables.column_formats import column_formats
from cnc_station.engine.domain.tables.plain_text import folded
from cnc_station.engine.domain.tables.questions import unit_column, unused_columns
from cnc_station.engine.domain.tables.rows import JobRows, job_rows
from cnc_station.engine.domain.tables.shapes import Shape, recognise
from cnc_station.engine.domain.tables.table import Table
from cnc_station.engine.services.table_file import Unreadable, read_table
from cnc_station.engine.services.table_identity import with_external_ids
from cnc_station.engine.services.table_routing import Issues, linked
from cnc_station.engine.services.table_rows import RowReader
from cnc_station.engine.views import ImportIssue, ImportPreview, ProgramRow

PREVIEW_ROWS = 50
ISSUES_KEPT = 1_000
_NOT_COMPARED = frozenset(("external_id", "key", "after", "draft", "time_unit"))


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What an import needs to know. `now` is in ms. `zone` is that of the times in the table; None:
    this computer's. `program` returns the newest stored program of a file name, `machine` the id
    of a machine name; both return None if there is none. `machine_types` are the types of the
    machines by their id. `remembered` returns the mapping of the last import of a table with this
    fingerprint. `beside` are names of programs that are stored before the import."""

    now: int
    zone: dt.tzinfo | None
    program: Callable[[str], ProgramRow | None]
    machine: Callable[[str], int | None]
    machine_types: Mapping[int, str] = field(default_factory=dict)
    remembered: Callable[[str], Mapping[str, str] | None] = lambda _: None
    beside: frozenset[str] = frozenset()


def by_name(ids: Mapping[str, int]) -> Callable[[str], int | None]:
    """Return a search for a machine as tables write its name: `vf2 nord` for `VF2-Nord`, if only
    one machine has such a name."""
    alike: dict[str, list[int]] = {}
    for name, machine in ids.items():
        alike.setdefault(folded(name), []).append(machine)

    def find(name: str) -> int | None:
        if name in ids:
            return ids[name]
        found = alike.get(folded(name), [])
        return found[0] if len(found) == 1 else None

    return find


@dataclass(frozen=True, slots=True)
class Imported:
    """A table that was read. `specs` has a job for every row; it is empty if there is an issue.
    `fields` are those of a job that the table has a column for. `fingerprint` identifies the sender
    of the table."""

    preview: ImportPreview
    specs: tuple[JobSpec, ...] = ()
    rows: tuple[int, ...] = ()
    fields: frozenset[str] = frozenset()
    fingerprint: str = ""

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
    """Read the table in a file of this name. `mapping` is field -> column, "" for a field that is
    to have none; None takes that of the last import of such a table, or guesses it from the column
    names. `read` is `read_table`, perhaps in another process. Never raises for bad content: the
    preview has the issues."""
    try:
        table = read(content, frozenset((mapping or {}).values()) - {""})
    except Unreadable as error:
        return _refused(str(error))
    if not table.rows:
        return _refused("There is no row below the names of the columns.", table.columns)
    return _Import(name, table, shop, mapping).result()


class _Import:
    def __init__(
        self, name: str, table: Table, shop: ImportContext, mapping: Mapping[str, str] | None
    ) -> None:
        self._name = name
        self._table = table
        self._shop = shop
        self._fingerprint = header_fingerprint(table.columns)
        self._shape = recognise(table.columns)
        self._remembered = False
        self._asked: tuple[str, ...] = ()
        self._answers = dict(self._mapping() if mapping is None else mapping)
        self._used = {field: column for field, column in self._answers.items() if column}
        self._issues = Issues(_mapping_issues(table, self._used))
        self._notes = Issues(ImportIssue(0, "", note) for note in table.notes)

    def _mapping(self) -> Mapping[str, str]:
        found = self._shop.remembered(self._fingerprint)
        if found is not None and set(found.values()) <= {"", *self._table.columns}:
            self._remembered = True
            return found
        return guessed(self._table, self._shape)

    def result(self) -> Imported:
        if self._issues:
            return self._answer((), JobRows(self._table.rows), ())
        rows = job_rows(self._table, self._used)
        self._notes += [ImportIssue(number, "", note) for number, note in rows.notes]
        if not rows.rows:
            return _refused("There is no job below the names of the columns.", self._table.columns)
        self._ask(rows)
        formats = column_formats(self._table, rows.rows, self._used)
        self._issues += [ImportIssue(0, *fault) for fault in formats.faults]
        self._notes += [ImportIssue(0, *note) for note in formats.notes]
        reader = RowReader(
            self._name, self._table, self._used, self._shop, self._shape, formats, self._issues
        )
        drafts = list(reader.drafts(rows.rows))
        self._notes += reader.notes
        specs: tuple[JobSpec, ...] = ()
        if len(drafts) == len(rows.rows):
            drafts = with_external_ids(drafts, self._used, self._shape, self._issues, self._notes)
            specs = linked(drafts, self._used.get("after", IMPORT_LABELS["after"]), self._issues)
        return self._answer(specs, rows, tuple(reader.missing))

    def _ask(self, rows: JobRows) -> None:
        shown = replace(self._table, rows=rows.rows)
        unused = unused_columns(shown, self._answers, self._shape)
        self._asked = tuple(dict.fromkeys(field for _, field in unused.asked))
        self._issues += [
            ImportIssue(
                0,
                column,
                f"looks like {_WHAT[field]}: choose a column for {IMPORT_LABELS[field]}, or none",
            )
            for column, field in unused.asked
        ]
        if unused.others:
            names = ", ".join(unused.others)
            self._notes.append(ImportIssue(0, "", f"not imported: {names}"))

    def _answer(
        self, specs: tuple[JobSpec, ...], rows: JobRows, missing: tuple[str, ...]
    ) -> Imported:
        empty = ("",) * len(self._table.columns)
        first = rows.rows[:PREVIEW_ROWS]
        preview = ImportPreview(
            columns=self._table.columns,
            mapping=self._answers,
            rows=tuple((row.cells + empty)[: len(empty)] for row in first),
            total=len(rows.rows),
            issues=_first_issues(self._issues),
            notes=_first_issues(self._notes),
            numbers=tuple(row.number for row in first),
            shape=self._shape.name if self._shape else "",
            remembered=self._remembered,
            missing=missing,
            asked=self._asked,
        )
        if self._issues:
            return Imported(preview)
        return Imported(
            preview,
            specs,
            tuple(row.number for row in rows.rows),
            self._compared(),
            self._fingerprint,
        )

    def _compared(self) -> frozenset[str]:
        fields = self._used.keys() - _NOT_COMPARED
        if "program" in fields:
            fields |= {"estimated_s"}
        if "machine_type" in fields and self._shop.machine_types:
            fields |= {"pinned_machine_id"}
        return frozenset(fields)


_WHAT = {
    "quantity": "a quantity",
    "estimated_s": "a time",
    "due_at": "a date",
    "machine_type": "a machine",
}


def guessed(table: Table, shape: Shape | None) -> dict[str, str]:
    """Return field -> column by the names of the columns, and by their values where a name alone
    misleads: a unit is that of the times if all of its values are, and an id that several rows
    have is that of their work order."""
    found = guess_mapping(table.columns, shape)
    if "estimated_s" in found and "time_unit" not in found:
        unit = unit_column(table, found)
        if unit is not None:
            found["time_unit"] = unit
    key = table.place(found.get("key"))
    if key is not None and "key" not in folded(found["key"]):
        values = [cell for row in table.rows if (cell := row.cell(key))]
        if len(set(values)) < len(values) and "work_order" not in found:
            found["work_order"] = found.pop("key")
    return found


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
    least = "at least " if len(issues) > RowReader.MOST_ISSUES else ""
    more = ImportIssue(0, "", f"and {least}{len(issues) - ISSUES_KEPT:,} more issues")
    return (*issues[:ISSUES_KEPT], more)
