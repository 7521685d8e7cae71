"""The job fields that a column of an imported table can fill, and how to guess them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportField:
    """One job field that a column can fill. `synonyms` are in order of certainty."""

    name: str
    label: str
    synonyms: tuple[str, ...]
    wanted: bool = False


def _field(name: str, label: str, synonyms: str, *, wanted: bool = False) -> ImportField:
    words = (name.replace("_", " "), label.lower(), *synonyms.split(", "))
    return ImportField(name, label, tuple(dict.fromkeys(words)), wanted)


IMPORT_FIELDS: tuple[ImportField, ...] = (
    _field(
        "name",
        "Name",
        "part name, part, part no, part number, item, job, job name, title, article, drawing, "
        "drawing no",
        wanted=True,
    ),
    _field(
        "machine_type",
        "Machine type",
        "machine, mach type, mach, type, machine group, work center, work centre, resource, "
        "mc type, mc",
        wanted=True,
    ),
    _field(
        "work_order",
        "Work order",
        "wo, wo no, work order no, order, order no, order number, job order, production order, "
        "job no, job number",
    ),
    _field("operation", "Operation", "op, op no, operation no, step, op name, sequence"),
    _field(
        "after",
        "After",
        "comes after, after op, after operation, after keys, predecessor, predecessors, "
        "depends on, previous op, previous operation, waits for",
    ),
    _field("key", "Key", "job key, row key, id, job id, ref, reference"),
    _field(
        "quantity",
        "Quantity",
        "qty, pcs, pieces, parts, no of parts, count, amount, batch size, lot size, batch, lot",
    ),
    _field(
        "due_at",
        "Due",
        "due date, deadline, due by, due time, needed by, need date, required by, required date, "
        "deliver by, delivery date, delivery, ship date",
    ),
    _field("priority", "Priority", "prio, urgency, rush"),
    _field("material", "Material", "mat, stock, raw material, alloy"),
    _field("complexity", "Complexity", "cx, difficulty, grade"),
    _field(
        "estimated_s",
        "Time per part",
        "estimated, estimate, estimated time, estimated runtime, est time, est, runtime, run time, "
        "cycle time, cycle, machining time, duration, seconds, minutes, time",
    ),
    _field(
        "program",
        "Program",
        "nc program, program name, program file, nc file, nc, file, file name, gcode, g code, cnc",
    ),
    _field("customer", "Customer", "customer name, client, company, for, buyer"),
    _field("tenant", "Tenant", "tenant id"),
    _field("axes", "Axes", "no of axes, axis"),
    _field("envelope", "Size", "part size, dimensions, stock size, workpiece size"),
    _field("pinned_machine_id", "Only on machine", "pinned machine, pin, pin to, fixed machine"),
    _field("not_before", "Not before", "earliest, earliest start, start after, release date"),
    _field("handler", "Handler", "job handler"),
    _field("payload", "Payload", "data, json, parameters"),
    _field("description", "Description", "details, long text, part description"),
    _field(
        "external_id",
        "External id",
        "external no, external number, foreign id, erp id, erp no, erp number, uuid",
    ),
    _field("notes", "Notes", "note, remark, remarks, comment, comments, instructions"),
    _field("retry_limit", "Retries", "retry, max retries"),
    _field("timeout_s", "Time limit", "timeout, max time"),
    _field("draft", "Draft", "is draft"),
)

IMPORT_LABELS: Mapping[str, str] = {field.name: field.label for field in IMPORT_FIELDS}

UNIT_SECONDS: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
}
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST_NAME = 200


def _words(column: str) -> str:
    spaced = _HUMP.sub(" ", column[:_LONGEST_NAME]).lower()
    return " ".join(re.findall(r"[a-z0-9]+", spaced.replace("#", " no ")))


def _names(column: str) -> tuple[str, ...]:
    """Return the spellings to look up: the whole name, without brackets, without its unit."""
    plain = _words(_IN_BRACKETS.sub(" ", column[:_LONGEST_NAME]))
    first, _, last = plain.rpartition(" ")
    shorter = (first,) if first and last in UNIT_SECONDS else ()
    return (_words(column), plain, *shorter)


def is_known(column: str) -> bool:
    """Return whether the name of this column identifies a field."""
    return any(name in _SYNONYMS for name in _names(column))


def guess_mapping(columns: Sequence[str]) -> dict[str, str]:
    """Return field -> column for every field whose name or synonym is the name of a column. A
    column goes to one field. If several columns match, the most certain synonym decides. Without a
    column for the name, the description is the name."""
    offers: list[tuple[int, int, str]] = []
    for place, column in enumerate(columns):
        hits = [_SYNONYMS[name] for name in _names(column) if name in _SYNONYMS]
        if hits:
            sureness, field = min(hits)
            offers.append((sureness, place, field))
    found: dict[str, str] = {}
    for _, place, field in sorted(offers):
        found.setdefault(field, columns[place])
    if "name" not in found and "description" in found:
        found["name"] = found.pop("description")
    return {field.name: found[field.name] for field in IMPORT_FIELDS if field.name in found}


def unit_seconds(column: str) -> float:
    """Return the seconds per unit of a time column: 60 for `Runtime (min)`."""
    brackets = _IN_BRACKETS.findall(column[:_LONGEST_NAME])
    for name in (*brackets, _words(column).rpartition(" ")[2]):
        if (seconds := UNIT_SECONDS.get(_words(name))) is not None:
            return seconds
    return 1.0


_SYNONYMS: Mapping[str, tuple[int, str]] = {
    synonym: (sureness, field.name)
    for field in reversed(IMPORT_FIELDS)
    for sureness, synonym in reversed(list(enumerate(field.synonyms)))
}
