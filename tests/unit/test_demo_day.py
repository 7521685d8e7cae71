"""The demo day is a believable and consistent amount of work for a shop."""

import csv
import datetime as dt
import re
import tomllib
from collections import Counter
from graphlib import TopologicalSorter
from typing import Any

import pytest

from cnc_station.bundled import bundled
from cnc_station.engine.domain import nc
from cnc_station.engine.domain.machine import Capability, Envelope, MachineSpec, Need
from cnc_station.engine.services.table_import import ImportContext, read_jobs
from cnc_station.engine.views import ProgramRow

Row = dict[str, str]
COLUMNS = [
    "name",
    "work_order",
    "operation",
    "machine_type",
    "material",
    "complexity",
    "priority",
    "quantity",
    "estimated_runtime_s",
    "due",
    "program",
    "after",
    "notes",
]
DUE = re.compile(r"\+(\d+)h([0-5]\d)m")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    reader = csv.DictReader(bundled("demo", "day.csv").read_text("utf-8").splitlines())
    assert reader.fieldnames == COLUMNS
    return list(reader)


@pytest.fixture(scope="module")
def fleet() -> list[MachineSpec]:
    table = tomllib.loads(bundled("demo", "fleet.toml").read_text("utf-8"))
    return [machine(entry) for entry in table["machine"]]


@pytest.fixture(scope="module")
def programs() -> dict[str, nc.Program]:
    return {file.name: nc.read(file.read_bytes()) for file in bundled("demo", "programs").iterdir()}


def machine(entry: dict[str, Any]) -> MachineSpec:
    capability = Capability(
        entry["type"],
        entry["max_complexity"],
        frozenset(entry["materials"]),
        entry["axes"],
        Envelope(*entry["envelope_mm"]),
    )
    assert entry["rapid_mm_min"] > 0
    assert entry["tool_change_s"] > 0
    spec = MachineSpec(
        name=entry["name"],
        machine_type=entry["type"],
        model=entry["model"],
        capability=capability,
        operator_clears=entry["operator_clears"],
    )
    return spec.validated()


def key(row: Row) -> tuple[str, str]:
    return row["work_order"], row["operation"]


def before(row: Row) -> set[tuple[str, str]]:
    return {(row["work_order"], operation) for operation in row["after"].split(";") if operation}


def seconds(row: Row) -> float:
    """Return the duration of the job: all its parts."""
    return int(row["quantity"]) * float(row["estimated_runtime_s"])


def due_minutes(row: Row) -> int:
    match = DUE.fullmatch(row["due"])
    assert match, row
    return int(match[1]) * 60 + int(match[2])


def test_every_named_program_exists_and_every_program_is_used(rows: list[Row]) -> None:
    there = {file.name for file in bundled("demo", "programs").iterdir()}
    assert {row["program"] for row in rows} - {""} == there
    assert len(there) >= 14


def test_every_field_is_within_its_range(rows: list[Row]) -> None:
    for row in rows:
        assert row["name"], row
        assert re.fullmatch(r"WO-\d{5}", row["work_order"]), row
        assert re.fullmatch(r"op\d0", row["operation"]), row
        assert 1 <= int(row["complexity"]) <= 5
        assert 0 <= int(row["priority"]) <= 100
        assert int(row["quantity"]) >= 1
        assert float(row["estimated_runtime_s"]) > 0
        assert due_minutes(row) > 0


def test_routings_name_operations_that_exist_and_never_run_in_a_circle(rows: list[Row]) -> None:
    keys = [key(row) for row in rows]
    assert len(set(keys)) == len(keys)
    routing = {key(row): before(row) for row in rows}
    assert set().union(*routing.values()) <= set(keys)
    assert len(list(TopologicalSorter(routing).static_order())) == len(keys)
    assert any("op30" in row["operation"] and row["after"] == "op20" for row in rows)
    due = {key(row): due_minutes(row) for row in rows}
    for last, firsts in routing.items():
        assert all(due[first] < due[last] for first in firsts), last


def test_the_mix_is_that_of_a_job_shop(rows: list[Row]) -> None:
    assert len(rows) >= 70
    assert {int(row["complexity"]) for row in rows} == {1, 2, 3, 4, 5}
    assert {int(row["priority"]) for row in rows} == {10, 50, 90}
    assert {row["material"] for row in rows} == {"aluminium", "steel", "1.4301", "brass", "POM"}
    hard = [row for row in rows if row["complexity"] == "5"]
    early = [row for row in hard if row["priority"] == "90" and not row["after"]]
    assert len(hard) >= 8
    assert len(early) >= 5
    assert {row["machine_type"] for row in early} == {"mill", "lathe"}


def test_the_fleet_is_four_mills_three_lathes_and_two_drills(fleet: list[MachineSpec]) -> None:
    assert Counter(spec.machine_type for spec in fleet) == {"mill": 4, "lathe": 3, "drill": 2}
    takes_all = [spec.machine_type for spec in fleet if spec.capability.max_complexity == 5]
    assert sorted(takes_all) == ["lathe", "mill"]
    assert [spec.machine_type for spec in fleet if spec.operator_clears] == ["mill"]
    for spec in fleet:  # a material is compared in lower case
        assert all(material == material.lower() for material in spec.capability.materials)


def test_every_job_has_a_machine_that_can_make_it(
    rows: list[Row], fleet: list[MachineSpec]
) -> None:
    for row in rows:
        need = Need(row["machine_type"], int(row["complexity"]), row["material"])
        assert any(spec.capability.fits(need) for spec in fleet), row


def test_every_machine_has_work_at_once_and_about_eight_hours_of_it(
    rows: list[Row], fleet: list[MachineSpec]
) -> None:
    count = Counter(spec.machine_type for spec in fleet)
    for kind, machines in count.items():
        mine = [row for row in rows if row["machine_type"] == kind]
        assert 7 < sum(map(seconds, mine)) / 3600 / machines < 9, kind
        urgent = [row for row in mine if row["priority"] == "90"]
        assert sum(not row["after"] for row in urgent) >= machines, kind
        assert sum(map(seconds, urgent)) / 60 / machines > 25, kind


def test_every_program_reads_without_an_error(programs: dict[str, nc.Program]) -> None:
    found = {name: program.findings for name, program in programs.items() if program.findings}
    assert found == {}


def test_a_programs_kind_is_that_of_its_jobs(
    rows: list[Row], programs: dict[str, nc.Program]
) -> None:
    for row in rows:
        if row["program"]:
            turned = programs[row["program"]].lathe
            assert turned == (row["machine_type"] == "lathe"), row


def test_an_estimate_is_what_the_program_takes(
    rows: list[Row], programs: dict[str, nc.Program]
) -> None:
    for row in rows:
        if row["program"]:
            takes = programs[row["program"]].duration_s
            assert float(row["estimated_runtime_s"]) == pytest.approx(takes, rel=0.2, abs=5), row


def test_the_programs_are_short_and_long_in_both_units(programs: dict[str, nc.Program]) -> None:
    takes = sorted(program.duration_s for program in programs.values())
    assert takes[0] < 45
    assert takes[len(takes) // 2] < 300
    assert 20 * 60 < takes[-1] < 30 * 60
    assert max(program.lines for program in programs.values()) > 5_000
    assert {program.units for program in programs.values()} == set(nc.Units)


def test_every_program_states_what_it_makes_and_starts_from_a_known_state() -> None:
    for file in bundled("demo", "programs").iterdir():
        lines = file.read_text("ascii").splitlines()
        head = next(i for i, line in enumerate(lines) if "G40" in line)
        assert all(line.startswith(("%", "(")) for line in lines[:head]), file.name
        for word in ("(MATERIAL", "(ZERO", "(T"):
            assert any(word in line for line in lines[:head]), (file.name, word)
        assert {"G40", "G49", "G54", "G80", "G90", "G94"} <= set(lines[head].split()), file.name


def test_the_table_can_be_imported_as_it_is(
    rows: list[Row], programs: dict[str, nc.Program]
) -> None:
    start = 1_800_000_000_000
    kept = {
        name: ProgramRow(
            f"{number:064x}", name, 1, 1, read.lines, read.duration_s, 0, 0, "", 0, None
        )
        for number, (name, read) in enumerate(programs.items())
    }
    machines: dict[str, int] = {}
    shop = ImportContext(start, dt.UTC, kept.get, machines.get)
    jobs = read_jobs("day.csv", bundled("demo", "day.csv").read_bytes(), shop).accepted()

    assert len(jobs) == len(rows)
    for job, row in zip(jobs, rows, strict=True):
        assert (job.name, job.quantity, job.priority) == (
            row["name"],
            int(row["quantity"]),
            int(row["priority"]),
        )
        assert job.estimated_s == float(row["estimated_runtime_s"])
        assert job.due_at == start + due_minutes(row) * 60_000
        assert job.program == (kept[row["program"]].sha256 if row["program"] else None)
        assert len(job.after_keys) == len(before(row))
