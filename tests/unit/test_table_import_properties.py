import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain import text_gate
from cnc_station.engine.domain.import_fields import IMPORT_FIELDS
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.services.table_file import is_spreadsheet_error
from cnc_station.engine.services.table_import import ImportContext, Imported, read_jobs
from cnc_station.engine.views import ProgramRow

BERLIN = ZoneInfo("Europe/Berlin")
FILE = "any"
NOW = 1_795_000_000_000
FIELDS = [field.name for field in IMPORT_FIELDS]


def program(sha256: str) -> ProgramRow:
    return ProgramRow(sha256, sha256[:8], 1, 1, 1, 1.0, 0, NOW, "Ada", 0, None)


SHOP = ImportContext(
    NOW,
    BERLIN,
    lambda name: program(name.removesuffix(".nc")) if name.endswith(".nc") else None,
    lambda name: int(name[1:]) if name[1:].isdecimal() else None,
)


def moment(at: int) -> str:
    return dt.datetime.fromtimestamp(at / 1000, tz=dt.UTC).isoformat()


WRITTEN: dict[str, Callable[[Any], str]] = {
    "due_at": moment,
    "not_before": moment,
    "program": "{}.nc".format,
    "pinned_machine_id": "M{}".format,
    "payload": lambda value: json.dumps(value) if value else "",
    "envelope": lambda size: f"{size.x} x {size.y} x {size.z}",
    "draft": lambda value: "yes" if value else "no",
}


def cell(field: str, spec: JobSpec) -> str:
    """Return a field as a person, or another program, would write it."""
    if field == "after":
        return ", ".join([*(f"#{job}" for job in spec.after), *spec.after_keys])
    value = getattr(spec, field, None)
    return "" if value is None else WRITTEN.get(field, str)(value)


def as_csv(specs: Sequence[JobSpec], delimiter: str, encoding: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(FIELDS)
    writer.writerows([[cell(field, spec) for field in FIELDS] for spec in specs])
    return text.getvalue().encode(encoding)


def as_xlsx(specs: Sequence[JobSpec]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (FIELDS, *([cell(field, spec) for field in FIELDS] for spec in specs)):
        sheet.append(row)
        for written in sheet[sheet.max_row]:
            written.data_type = "s"  # a text that starts with = is no formula here
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


letters = st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="\n\r")
names = (
    st.text(letters, min_size=1, max_size=30)
    .filter(lambda text: text_gate.fault(text) is None)
    .map(text_gate.tidy)
    .filter(lambda text: bool(text) and not is_spreadsheet_error(text))
)
times = st.integers(0, 4_000_000_000_000)
seconds = st.floats(0.001, 1e6)
sizes = st.floats(0, 100_000)
one_job = st.builds(
    JobSpec,
    name=names,
    machine_type=st.sampled_from(["mill", "lathe", "drill"]),
    material=st.just("") | names,
    complexity=st.integers(1, 5),
    priority=st.integers(0, 100),
    estimated_s=seconds,
    quantity=st.integers(1, 1_000_000),
    due_at=st.none() | times,
    program=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
    payload=st.dictionaries(
        names, st.none() | st.integers(-(2**63) + 1, 2**63 - 1) | names, max_size=3
    ),
    tenant=st.just("") | names,
    handler=st.just("machine.program"),
    retry_limit=st.none() | st.integers(0, 100),
    timeout_s=st.none() | seconds,
    work_order=st.just("") | names,
    operation=st.just("") | names,
    axes=st.integers(1, 9),
    envelope=st.none() | st.builds(Envelope, sizes, sizes, sizes),
    pinned_machine_id=st.none() | st.integers(1, 10**9),
    not_before=st.none() | times,
    after=st.lists(st.integers(1, 10**9), max_size=3, unique=True).map(tuple),
    draft=st.booleans(),
)


@st.composite
def routings(draw: st.DrawFn) -> list[JobSpec]:
    """Jobs that wait for some of those before them."""
    jobs = draw(st.lists(one_job, min_size=1, max_size=6))
    keys = [f"job {place}" for place in range(len(jobs))]
    return [
        replace(
            job,
            key=key,
            source=f"imported from {FILE}, row {place + 1}",
            after_keys=tuple(draw(st.lists(st.sampled_from(keys[:place]), unique=True)))
            if place
            else (),
        )
        for place, (job, key) in enumerate(zip(jobs, keys, strict=True))
    ]


@given(routings(), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_jobs_written_as_csv_are_read_back_as_they_were(
    specs: list[JobSpec], delimiter: str, encoding: str
) -> None:
    assert list(read_jobs(FILE, as_csv(specs, delimiter, encoding), SHOP).accepted()) == specs


@settings(max_examples=25, deadline=None)
@given(routings())
def test_jobs_written_as_xlsx_are_read_back_as_they_were(specs: list[JobSpec]) -> None:
    assert list(read_jobs(FILE, as_xlsx(specs), SHOP).accepted()) == specs


def answers(found: Imported) -> bool:
    """Return issues or jobs, one for each row, never both and never neither."""
    preview = found.preview
    if preview.issues:
        return found.specs == () and all(issue.message for issue in preview.issues)
    return len(found.specs) == preview.total > 0


@given(st.binary(max_size=2_000))
def test_any_bytes_give_issues_or_jobs(content: bytes) -> None:
    assert answers(read_jobs(FILE, content, SHOP))


HEADERS = ["name", "type", "qty", "due", "prio", "runtime", "after", "key", "wo", "op", "payload"]
CELLS = ["", "A", "mill", "1", "1,5", "high", "+2h", "17:00", "#4", "op10", '"', "\n", "{}", "\x00"]


@given(
    st.lists(
        st.lists(st.sampled_from(CELLS) | st.text(max_size=5), max_size=12).map(",".join),
        max_size=8,
    ),
    st.permutations(HEADERS),
)
def test_any_rows_below_known_columns_give_issues_or_jobs(
    rows: list[str], header: list[str]
) -> None:
    text = "\n".join([",".join(header), *rows])
    assert answers(read_jobs(FILE, text.encode("utf-8", "surrogatepass"), SHOP))


WORKBOOK = as_xlsx([JobSpec("A", "mill")])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(WORKBOOK) - 1), st.binary(min_size=1, max_size=40))
def test_a_damaged_workbook_gives_issues_or_jobs(place: int, damage: bytes) -> None:
    content = WORKBOOK[:place] + damage + WORKBOOK[place + len(damage) :]
    assert answers(read_jobs(FILE, content, SHOP))
