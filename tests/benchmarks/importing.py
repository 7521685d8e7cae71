"""Tables of jobs: how long they take beside plain csv and openpyxl with the same jobs made."""

import csv
import datetime as dt
import io
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import openpyxl

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.services.table_import import ImportContext, read_jobs
from tests.benchmarks.figures import Effort, Figure, compared, in_turn

ROWS = 50_000
NOW = 1_795_000_000_000
SHOP = ImportContext(NOW, dt.UTC, lambda _: None, lambda _: None, {1: "mill", 2: "lathe"})
HEADER = ("WO", "Op", "Part", "Machine", "Qty", "Due", "Time (min)", "Customer", "Notes", "ERP no")


def importing(effort: Effort) -> list[Figure]:
    """Milliseconds for a table of full size, from its bytes to checked jobs."""
    rows = effort.of(ROWS)
    figures = []
    for name, content, plain, most in (
        ("CSV", _csv(rows), _plain_csv, 4.0),
        ("XLSX", _xlsx(rows), _plain_xlsx, 2.5),
    ):
        ours, bare = in_turn(
            effort.repeats,
            partial(_ms, partial(_ours, content), rows),
            partial(_ms, partial(plain, content), rows),
        )
        against = "csv" if name == "CSV" else "openpyxl"
        figures.append(
            compared(f"import {rows:,} rows of {name}", ours, "ms", bare, against, at_most=most)
        )
    return figures


def _ms(work: Callable[[], int], rows: int) -> float:
    begun = time.process_time()
    made = work()
    took = time.process_time() - begun
    assert made == rows
    return took * 1000


def _cells(rows: int) -> Iterable[Sequence[str]]:
    yield HEADER
    for n in range(rows):
        machine = "mill" if n % 2 else "lathe"
        day = f"{n % 28 + 1:02}.{n % 9 + 1:02}.2027"
        yield (
            *(f"W{n // 3}", f"{10 * (n % 3 + 1)}", f"Part {n % 900}", machine, str(n % 400 + 1)),
            *(day, f"{n % 30 + 1},5", f"Customer {n % 70}", "deburr, then wash", f"E{n}"),
        )


def _csv(rows: int) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(_cells(rows))
    return text.getvalue().encode()


def _xlsx(rows: int) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in _cells(rows):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _ours(content: bytes) -> int:
    return len(read_jobs("table", content, SHOP).accepted())


def _plain_csv(content: bytes) -> int:
    return _made(csv.reader(io.StringIO(content.decode()), delimiter=";"))


def _plain_xlsx(content: bytes) -> int:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    return _made(book.worksheets[0].iter_rows(values_only=True))


def _made(table: Iterable[Sequence[object]]) -> int:
    """Make the jobs as a script would that knows the table."""
    rows = iter(table)
    next(rows)
    jobs = []
    for row in rows:
        order, operation, name, machine, quantity, due, minutes, customer, notes, key = map(
            str, row
        )
        day = dt.datetime.strptime(due, "%d.%m.%Y").replace(tzinfo=dt.UTC)
        spec = JobSpec(
            name,
            machine,
            work_order=order,
            operation=operation,
            quantity=int(quantity),
            due_at=int(day.timestamp() * 1000),
            estimated_s=float(minutes.replace(",", ".")) * 60,
            customer=customer,
            notes=notes,
            external_id=key,
        )
        jobs.append(spec.validated())
    return len(jobs)
