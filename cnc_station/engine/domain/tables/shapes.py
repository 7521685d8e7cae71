"""The shapes of exports from ERP systems: what their columns mean where the name alone misleads.

SAP calls the part `Material`, JobBOSS calls the work order `Job`, ERPNext and Odoo give minutes for
the whole order. A shape is recognised by the names of columns that only this system uses together.
Edit the table to teach another system; names are written as in `synonyms`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cnc_station.engine.domain.tables.naming import spellings
from cnc_station.engine.domain.tables.plain_text import folded, split_words
from cnc_station.engine.domain.tables.units import TimeUnit, time_unit


@dataclass(frozen=True)
class Shape:
    """One system's export. All of one line of `marks` must be among the columns. `fields` are the
    names of its columns for each field, best first; "" are those a job has no field for. `units`
    are those of its times that no header states. It does not fit beside a column of `unless`."""

    name: str
    marks: tuple[str, ...]
    fields: Mapping[str, str]
    units: Mapping[str, str]
    unless: str = ""

    @cached_property
    def meanings(self) -> Mapping[str, tuple[int, str]]:
        """Name of a column -> how sure it is, and its field ("" for none)."""
        found: dict[str, tuple[int, str]] = {}
        for field, names in self.fields.items():
            for place, name in enumerate(split_words(names)):
                found.setdefault(folded(name), (place, field))
        return found

    def fits(self, names: frozenset[str]) -> bool:
        """Return whether columns of these names are an export of this system."""
        if not names.isdisjoint(map(folded, split_words(self.unless))):
            return False
        return any(names.issuperset(map(folded, split_words(mark))) for mark in self.marks)

    def meaning(self, column: str) -> tuple[int, str] | None:
        """Return how sure it is what a column means, and the field ("" for none)."""
        return next((self.meanings[n] for n in spellings(column) if n in self.meanings), None)

    def unit(self, column: str) -> TimeUnit | None:
        """Return the unit of a column of times; None if the shape states none."""
        units = {folded(name): unit for name, unit in self.units.items()}
        stated = next((units[name] for name in spellings(column) if name in units), None)
        return time_unit(stated) if stated else None


SHAPES = (
    Shape(
        "ERPNext",
        (
            "item to manufacture, qty to manufacture",
            "production item, qty to manufacture",
            "production item, workstation",
            "item to manufacture, workstation",
            "qty to manufacture, workstation",
            "for quantity, workstation",
        ),
        {
            "work_order": "work order, id, name",
            "name": "item to manufacture, production item, item name",
            "quantity": "qty to manufacture, for quantity, qty",
            "machine_type": "workstation, workstation type",
            "operation": "operation",
            "due_at": "expected delivery date, planned end date, expected end date",
            "estimated_s": "operation time, time in mins, time required, "
            "expected time required in mins, planned operation time",
            "description": "item name, description",
            "": "company, bom no, sequence id, planned start date, completed qty, status, series",
        },
        {
            "operation time": "total min",
            "time in mins": "total min",
            "time required": "total min",
            "planned operation time": "total min",
            "expected time required in mins": "total min",
        },
    ),
    Shape(
        "Odoo",
        (
            "product, expected duration",
            "product id, duration expected",
            "product, work orders work center",
            "product, operations work center",
            "work orders work center",
            "product, quantity to produce",
            "manufacturing order, work center, product",
            "workorder ids workcenter id",
        ),
        {
            "work_order": "manufacturing order, production id, reference, name, source",
            "name": "product, product id, product name",
            "quantity": "quantity to produce, product qty, quantity, qty producing, "
            "original production quantity",
            "machine_type": "work center, work orders work center, operations work center, "
            "workcenter id, workorder ids workcenter id",
            "operation": "operation, work orders operation, operations operation, work order, "
            "work orders work order, work orders name, operations name, workorder ids name, "
            "operation id",
            "due_at": "deadline, date deadline, scheduled end, scheduled date, date finished, "
            "date planned finished",
            "estimated_s": "expected duration, duration expected",
            "external_id": "external id, id",
            "": "company, state, status, responsible, real duration, quantity produced, date start",
        },
        {"expected duration": "total min", "duration expected": "total min"},
    ),
    Shape(
        "Carbon",
        (
            "job id, work center, item",
            "job id, machine unit",
            "job readable id, work center",
            "machine time, machine unit",
            "job id, process, item",
        ),
        {
            "work_order": "job id, job readable id, job",
            "name": "item, item readable id, item id, part",
            "description": "item description, item name",
            "quantity": "production quantity, quantity, job quantity, operation quantity",
            "machine_type": "work center, work center name, process",
            "operation": "order, operation order, operation, operation description",
            "due_at": "due date, deadline, job due date",
            "estimated_s": "machine time",
            "time_unit": "machine unit, machine time unit",
            "": "setup time, setup unit, labor time, labor unit, deadline type, scrap quantity, "
            "quantity complete",
        },
        {},
    ),
    Shape(
        "JobBOSS",
        ("job, make qty", "job, make quantity", "job, run method", "job, work center, est run hrs"),
        {
            "work_order": "job, job number, job no",
            "name": "part number, part no, part",
            "quantity": "make quantity, make qty, order quantity, order qty",
            "machine_type": "work center, wc, workcenter",
            "operation": "op, operation, sequence, op no, step",
            "due_at": "due date, promised date, sched end, requested date",
            "estimated_s": "run, run rate, est run hrs, run hrs, est run hours",
            "time_unit": "run method, run unit",
            "notes": "note text, notes",
            "": "order quantity, order qty, est setup hrs, setup hrs, act run hrs, status, rev",
        },
        {
            "est run hrs": "total hrs",
            "run hrs": "total hrs",
            "est run hours": "total hrs",
        },
    ),
    Shape(
        "E2",
        (
            "job no, part no, work center",
            "job no, part no, work cntr",
            "job no, step no, part no",
            "job no, part no, qty to make",
            "job no, part no, cycle unit",
        ),
        {
            "work_order": "job no, job number",
            "name": "part no, part number",
            "description": "part description, description",
            "quantity": "qty to make, make qty, quantity to make, qty ordered, qty open",
            "machine_type": "work center, work cntr, workcenter",
            "operation": "step no, step, operation no, op no",
            "due_at": "due date, promise date",
            "estimated_s": "cycle time, cycle",
            "time_unit": "cycle unit, time unit, cycle time unit",
            "customer": "customer code, cust code, customer",
            "": "order no, order date, setup time, setup unit",
        },
        {"cycle time": "min", "cycle": "min"},
    ),
    Shape(
        "Katana",
        (
            "mo no, production deadline",
            "manufacturing order no, production deadline",
            "manufacturing order, production deadline",
            "order no, production deadline",
            "production deadline, resource",
            "mo no, variant code sku",
        ),
        {
            "work_order": "mo no, manufacturing order no, manufacturing order, order no",
            "name": "product, product name, product variant, variant code sku",
            "quantity": "planned quantity, quantity to make, quantity",
            "machine_type": "resource, resource group",
            "operation": "operation, operation step, step",
            "due_at": "production deadline, delivery deadline",
            "estimated_s": "time per unit, planned time per unit, planned time, total time",
            "customer": "customer",
            "": "actual quantity, actual time, status, ingredients availability, created date",
        },
        {"planned time": "total s", "total time": "total s"},
    ),
    Shape(
        "ProShop",
        (
            "wo no, must leave by",
            "wo no, must leave by date",
            "work order no, must leave by",
            "work order, must leave by",
            "wo no, part no, pot",
            "wo no, work cell",
            "work order, work cell",
            "wo no, qty ordered, op no",
        ),
        {
            "work_order": "wo no, work order no, work order number, work order",
            "name": "part no, part number, part",
            "description": "part name, part description",
            "quantity": "qty to make, quantity to make, qty ordered, quantity ordered",
            "machine_type": "work cell, pot, resource, workcell, work center, machine",
            "operation": "op no, op, operation no, operation",
            "due_at": "must leave by, must leave by date, due date",
            "estimated_s": "cycle time, minutes per part, run time per part, run time",
            "customer": "client, client name, customer",
            "": "qty ordered, quantity ordered, part rev, status, setup time",
        },
        {"cycle time": "min", "run time per part": "min", "run time": "min"},
    ),
    Shape(
        "SAP",
        (
            "order, material, work center",
            "order, material, basic finish date",
            "order, material, basic fin date",
            "order, material, order quantity",
            "order, material, target quantity",
            "order, material description, work center",
            "auftrag, materialnummer",
            "auftrag, material, arbeitsplatz",
            "auftrag, material, eckendtermin",
            "auftrag, material, auftragsmenge",
            "auftrag, materialkurztext",
            "aufnr, matnr",
        ),
        {
            "work_order": "order, production order, auftrag, fertigungsauftrag, aufnr",
            "name": "material, material number, materialnummer, matnr",
            "description": "material description, materialkurztext, maktx",
            "quantity": "order quantity, target quantity, total order quantity, "
            "operation quantity, auftragsmenge, gesamtmenge, sollmenge, vorgangsmenge, "
            "gamng, mgvrg",
            "machine_type": "work center, arbeitsplatz, arbpl",
            "operation": "operation activity, activity, operation, oper act, vorgang, vornr",
            "due_at": "basic finish date, basic fin date, scheduled finish date, latest finish, "
            "latest finish date, eckendtermin, terminiertes ende, eckende, gltrp, gltrs",
            "estimated_s": "machine time, standard value 2, std value 2, machine, maschinenzeit, "
            "vorgabewert 2, vgw02",
            "time_unit": "machine time unit, unit for standard value 2, vge02",
            "notes": "long text, langtext",
            "": "plant, werk, system status, systemstatus, order type, auftragsart, "
            "mrp controller, operation short text, opr short text, kurztext vorgang, "
            "basic start date, eckstarttermin, setup time, labor time, unit of measure, "
            "confirmed quantity, base quantity",
        },
        {},
        unless="part, part no, part number, part name, item, item no, teil, teilenummer, artikel, "
        "artikelnummer, product",
    ),
)


def recognise(columns: Iterable[str]) -> Shape | None:
    """Return the system whose export has columns of these names; None if no shape fits."""
    names = frozenset(name for column in columns for name in spellings(column))
    return next((shape for shape in SHAPES if shape.fits(names)), None)


def shape_named(name: str) -> Shape | None:
    """Return the shape of a system."""
    return next((shape for shape in SHAPES if shape.name == name), None)


def fields_by_shape(columns: Sequence[str], shape: Shape) -> Mapping[str, str]:
    """Return field -> column for what the shape knows."""
    offers = []
    for place, column in enumerate(columns):
        meaning = shape.meaning(column)
        if meaning is not None and meaning[1]:
            offers.append((meaning[0], place, meaning[1]))
    found: dict[str, str] = {}
    for _, place, field in sorted(offers):
        found.setdefault(field, columns[place])
    return found
