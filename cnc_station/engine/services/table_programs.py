"""The programs that a table of jobs names: one problem for each that is missing."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from cnc_station.engine.domain.tables.refused_cell import shown
from cnc_station.engine.services.table_routing import Issues
from cnc_station.engine.views import ImportIssue, ProgramRow

_ROWS_NAMED = 3  # of those with one missing program


class MissingProgram(ValueError):
    """No stored program has this name; `name` is without its folder."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(f"there is no program {shown(text)}: add it first")
        self.name = name


class TablePrograms:
    """Finds stored programs, and collects the names of missing ones with their rows."""

    def __init__(
        self, find: Callable[[str], ProgramRow | None], beside: frozenset[str], issues: Issues
    ) -> None:
        self._find = find
        self._beside = beside
        self._issues = issues
        self._found: dict[str, ProgramRow | None] = {}
        self._missing: dict[str, list[int]] = {}

    @property
    def missing(self) -> Iterable[str]:
        return self._missing

    def find(self, text: str) -> ProgramRow | None:
        """Return the program of a cell; None for one that is stored before the import. Raises
        MissingProgram."""
        name = text.replace("\\", "/").rpartition("/")[2]
        if text not in self._found:
            self._found[text] = self._find(text) or self._find(name)
        found = self._found[text]
        if found is None and name not in self._beside:
            raise MissingProgram(text, name)
        return found

    def note(self, row: int, column: str, missing: MissingProgram) -> None:
        """Add one issue for each program, whatever the number of rows that name it."""
        rows = self._missing.setdefault(missing.name, [])
        rows.append(row)
        if len(rows) == 1:
            self._issues.append(ImportIssue(row, column, str(missing)))

    def name_other_rows(self, column: str) -> None:
        """Add the other rows to the issue of each missing program."""
        first = {rows[0]: name for name, rows in self._missing.items() if len(rows) > 1}
        for place, issue in enumerate(self._issues if first else ()):
            name = first.get(issue.row)
            if name is None or issue.column != column:
                continue
            more = self._missing[name][1:]
            numbers = ", ".join(f"{number:,}" for number in more[:_ROWS_NAMED])
            rest = f" and {len(more) - _ROWS_NAMED:,} more" if len(more) > _ROWS_NAMED else ""
            also = f"{issue.message}; also in row{'s' if len(more) > 1 else ''} {numbers}{rest}"
            self._issues[place] = replace(issue, message=also)
