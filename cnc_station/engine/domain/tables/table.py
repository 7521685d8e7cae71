"""A table as text: its columns and its rows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty, with trimmed cells. Rows are counted from 1 below the header, with
    empty ones, as in a spreadsheet."""

    number: int
    cells: tuple[str, ...]

    def cell(self, place: int | None) -> str:
        """Return the text in a column; "" beyond the last cell and for no column."""
        return self.cells[place] if place is not None and place < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as text. Column names are unique, never empty, and have no hidden character. `notes`
    tell what of the file was left out."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def place(self, column: str | None) -> int | None:
        """Return the place of a column; None if there is none of this name."""
        return self.columns.index(column) if column in self.columns else None
