"""One job, programs, settings, and the export."""

import csv
import io
import json
import tracemalloc

import pytest

from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.store import schema
from cnc_station.engine.store.queries.export import export
from cnc_station.engine.store.queries.history import job_detail
from cnc_station.engine.store.queries.programs import program_detail, programs
from cnc_station.engine.store.settings import settings
from cnc_station.engine.views import JobFilter, JobLink, ProgramFinding, Sort, SortKey
from tests.store.rows import HOUR, HOUSE, NOW, Rows, job_row

OLD, NEW, OTHER = "a" * 64, "b" * 64, "c" * 64


def exported(rows: Rows, form: str, chosen: JobFilter | None = None) -> bytes:
    order = [Sort(SortKey.NAME)]
    return rows.read(lambda c: export(c, chosen or JobFilter(), order, form, NOW, context=HOUSE))


def test_a_job_is_shown_with_its_runs_and_its_neighbours_in_the_routing(rows: Rows) -> None:
    mill = rows.machine("Mill 1")
    first = rows.job(name="Plate", operation="op10", state="completed")
    job = rows.job(
        name="Plate", operation="op20", state="running", payload='{"fixture": 3}', machine_id=mill
    )
    last = rows.job(name="Plate", operation="op30", state="delayed", blocked=True)
    rows.after(job, first)
    rows.after(last, job)
    failed = rows.run(job, mill, state="failed", ended_at=NOW)
    live = rows.run(job, mill, attempt=2)
    detail = rows.read(lambda c: job_detail(c, job, NOW, context=HOUSE))
    assert detail is not None
    assert detail.row.next == "running on Mill 1"
    assert detail.payload == {"fixture": 3}
    assert detail.retry_limit == 2
    assert [run.id for run in detail.runs] == [live, failed]
    assert detail.after == (JobLink(first, "Plate · op10", JobState.COMPLETED),)
    assert detail.before == (JobLink(last, "Plate · op30", JobState.DELAYED),)


def test_a_job_that_is_gone_is_none(rows: Rows) -> None:
    assert rows.read(lambda c: job_detail(c, 7, NOW)) is None


def test_programs_are_listed_by_name_newest_revision_first_with_their_use(rows: Rows) -> None:
    findings = json.dumps([[4, "warning", "no feed"]])
    rows.program(OLD, "Bracket.nc", b"G0\n", revision=1, findings=findings)
    rows.program(NEW, "Bracket.nc", b"G1\n", revision=2)
    rows.program(OTHER, "axle_1%.nc", b"G2\n")
    rows.job(program=OLD, attempt=1, state="completed", state_since=NOW - HOUR)
    rows.job(program=OLD)
    found = rows.read(programs)
    assert [(p.name, p.revision) for p in found] == [
        ("axle_1%.nc", 1),
        ("Bracket.nc", 2),
        ("Bracket.nc", 1),
    ]
    assert [(p.jobs, p.last_used_at, p.warnings) for p in found] == [
        (0, None, 0),
        (0, None, 0),
        (2, NOW - HOUR, 1),
    ]
    assert [p.sha256 for p in rows.read(lambda c: programs(c, "1% AXLE"))] == [OTHER]
    assert rows.read(lambda c: programs(c, "nothing")) == ()


@pytest.mark.parametrize("text", ["fräser", "FRÄSER", "Fräser .nc"])
def test_a_program_is_found_in_any_case_of_any_letters(rows: Rows, text: str) -> None:
    rows.program(NEW, "FRÄSER.NC", b"G0\n")
    rows.program(OTHER, "frase.nc", b"G1\n")
    assert [p.name for p in rows.read(lambda c: programs(c, text))] == ["FRÄSER.NC"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("(Fräser Ø6)\n".encode(), "(Fräser Ø6)\n"),
        ("(Fräser Ø6)\n".encode("latin-1"), "(Fräser Ø6)\n"),
        (b"\xef\xbb\xbfG0\n", "G0\n"),
    ],
)
def test_a_programs_text_is_read_whatever_editor_wrote_it(
    rows: Rows, content: bytes, text: str
) -> None:
    rows.program(OLD, "part.nc", content, findings=json.dumps([[1, "warning", "odd"]]))
    detail = rows.read(lambda c: program_detail(c, OLD))
    assert detail is not None
    assert detail.text == text
    assert detail.findings == (ProgramFinding(1, "warning", "odd"),)
    assert detail.revisions == (detail.row,)
    assert rows.read(lambda c: program_detail(c, NEW)) is None


def test_settings_come_back_as_they_were_saved(rows: Rows) -> None:
    rows.insert(
        schema.setting,
        [{"key": "theme", "value": '"dark"'}, {"key": "retry", "value": '{"limit": 2}'}],
    )
    assert rows.read(settings) == {"theme": "dark", "retry": {"limit": 2}}


def test_an_exported_table_holds_the_chosen_jobs_in_order(rows: Rows) -> None:
    rows.job(name="B", due_at=NOW)
    rows.job(name="A", material='naïve, "quoted"\nsteel')
    rows.job(name="C", state="completed")
    text = exported(rows, "csv", JobFilter(states=OPEN_JOBS)).decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in found] == ["A", "B"]
    assert found[0]["material"] == 'naïve, "quoted"\nsteel'
    assert (found[0]["due_at"], found[1]["due_at"]) == ("", "2026-09-21 15:10:00")
    assert found[0]["next"] == "there is no mill"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_taken_for_a_formula(rows: Rows, start: str) -> None:
    rows.job(name=f"{start}HYPERLINK(1)")
    text = exported(rows, "csv").decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["name"] == f"'{start}HYPERLINK(1)"


def test_exported_json_holds_the_values_as_they_are(rows: Rows) -> None:
    assert json.loads(exported(rows, "json")) == []
    rows.job(name="=1+1", due_at=NOW)
    rows.job(name="Ölwanne")
    first, second = json.loads(exported(rows, "json"))
    assert (first["name"], first["due_at"], first["state"]) == ("=1+1", NOW, "queued")
    assert second["name"] == "Ölwanne"


def test_an_unknown_form_of_export_is_refused(rows: Rows) -> None:
    with pytest.raises(InvalidInput):
        exported(rows, "xml")


def test_an_export_holds_little_more_than_the_file_it_makes(rows: Rows) -> None:
    rows.insert(schema.job, [job_row(state="completed", name=f"job {n}") for n in range(2_000)])
    exported(rows, "csv")
    tracemalloc.start()
    size = len(exported(rows, "csv"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * size + 3_000_000


def test_a_job_with_the_uncertain_time_of_its_program_says_so(rows: Rows) -> None:
    rows.program(OLD, "Probe.nc", b"G0\n", duration_s=300.0)
    rows.program(NEW, "Plate.nc", b"G1\n", duration_s=300.0)
    rows.insert(schema.doubtful_program, [{"sha256": OLD}])
    own = rows.job(program=OLD, estimated_s=300.2)
    typed = rows.job(program=OLD, estimated_s=420.0)
    sure = rows.job(program=NEW, estimated_s=300.0)

    def doubtful(job: int) -> bool | None:
        detail = rows.read(lambda c: job_detail(c, job, NOW))
        return None if detail is None else detail.row.doubtful

    assert [doubtful(own), doubtful(typed), doubtful(sure)] == [True, False, False]
