"""The job fields that a column of an imported table can fill, and how to guess them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cnc_station.engine.domain.tables.naming import meaning_of
from cnc_station.engine.domain.tables.plain_text import folded
from cnc_station.engine.domain.tables.shapes import Shape, fields_by_shape


@dataclass(frozen=True, slots=True)
class ImportField:
    """One job field that a column can fill; the names of its columns are in `tables.synonyms`."""

    name: str
    label: str
    wanted: bool = False


IMPORT_FIELDS: tuple[ImportField, ...] = (
    ImportField("name", "Name", wanted=True),
    ImportField("machine_type", "Machine type", wanted=True),
    ImportField("work_order", "Work order"),
    ImportField("operation", "Operation"),
    ImportField("after", "After"),
    ImportField("key", "Key"),
    ImportField("quantity", "Quantity"),
    ImportField("due_at", "Due"),
    ImportField("priority", "Priority"),
    ImportField("material", "Material"),
    ImportField("complexity", "Complexity"),
    ImportField("estimated_s", "Time per part"),
    ImportField("time_unit", "Unit of the time"),
    ImportField("program", "Program"),
    ImportField("customer", "Customer"),
    ImportField("tenant", "Tenant"),
    ImportField("axes", "Axes"),
    ImportField("envelope", "Size"),
    ImportField("pinned_machine_id", "Only on machine"),
    ImportField("not_before", "Not before"),
    ImportField("handler", "Handler"),
    ImportField("payload", "Payload"),
    ImportField("description", "Description"),
    ImportField("external_id", "External ID"),
    ImportField("notes", "Notes"),
    ImportField("retry_limit", "Retries"),
    ImportField("timeout_s", "Time limit"),
    ImportField("draft", "Draft"),
)

IMPORT_LABELS: Mapping[str, str] = {field.name: field.label for field in IMPORT_FIELDS}


def guess_mapping(columns: Sequence[str], shape: Shape | None = None) -> dict[str, str]:
    """Return field -> column for every field that the name of a column stands for, in the export of
    a known system as that system means it. A column goes to one field. If several columns match,
    the most certain name decides. Without a column for the name, the description is the name."""
    found = dict(fields_by_shape(columns, shape)) if shape else {}
    offers: list[tuple[int, int, str]] = []
    for place, column in enumerate(columns):
        if shape and shape.meaning(column):
            continue
        meaning = meaning_of(column)
        if meaning is not None and meaning.field is not None:
            offers.append((meaning.sureness, place, meaning.field))
    for _, place, field in sorted(offers):
        found.setdefault(field, columns[place])
    if "name" not in found and "description" in found:
        found["name"] = found.pop("description")
    return {field.name: found[field.name] for field in IMPORT_FIELDS if field.name in found}


def header_fingerprint(columns: Sequence[str]) -> str:
    """Return what identifies the sender of a table: the names of its columns, in their order."""
    return sha256("\n".join(map(folded, columns)).encode()).hexdigest()
