import random
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy

from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobPage, JobRow
from cnc_station.ui.models.job_columns import SHOWN_AT_FIRST
from cnc_station.ui.models.job_selection import JobSelection
from cnc_station.ui.models.job_table import MOST_KNOWN, JobTableModel

NOON = 1_795_262_400_000


def job_row(job_id: int, **changes: Any) -> JobRow:
    row = JobRow(
        id=job_id,
        version=1,
        name=f"Bracket {job_id}",
        work_order="WO-1",
        operation="op20",
        state=JobState.QUEUED,
        machine_type="mill",
        machine_id=None,
        machine="",
        material="6082",
        complexity=3,
        priority=50,
        quantity=40,
        due_at=None,
        estimated_s=60.0,
        program=None,
        program_name="",
        program_revision=None,
        tenant="",
        attempt=0,
        failures=0,
        not_before=None,
        created_at=NOON,
        state_since=NOON,
        finished_at=None,
        rank=float(job_id),
        pinned_machine_id=None,
        last_error="",
        late=False,
        next="next on Mill 1",
    )
    return replace(row, **changes)


def page_of(ids: list[int], offset: int, limit: int, **changes: Any) -> JobPage:
    rows = tuple(job_row(i, **changes) for i in ids[offset : offset + limit])
    return JobPage(rows, offset, len(ids))


def table() -> JobTableModel:
    return JobTableModel(SHOWN_AT_FIRST, lambda: NOON)


def shown(model: JobTableModel) -> list[int | None]:
    return [row.id if (row := model.row(at)) else None for at in range(model.rowCount())]


@st.composite
def looks_at_lists(draw: st.DrawFn) -> list[tuple[list[int], int, int, bool]]:
    """Looks at a list that changes in between: the list, which rows, and how they are taken."""
    looks = []
    for _ in range(draw(st.integers(1, 6))):
        ids = draw(st.lists(st.integers(1, 30), unique=True, max_size=25))
        offset = draw(st.integers(0, 25))
        looks.append((ids, offset, draw(st.integers(1, 12)), draw(st.booleans())))
    return looks


@given(looks_at_lists(), st.integers(0, 2**31))
def test_after_any_row_signals_the_model_shows_the_list_it_was_given(
    looks: list[tuple[list[int], int, int, bool]], seed: int
) -> None:
    model = table()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    resets = QSignalSpy(model.modelReset)
    selection = JobSelection(model)
    chosen = set(random.Random(seed).sample(range(1, 31), 8))
    selection.choose(chosen)
    mirror: list[int | None] = []
    follow(model, mirror)
    for ids, offset, limit, extends in looks:
        page = page_of(ids, offset, limit)
        if not (extends and model.extend(page)):
            model.take(page)
        assert model.rowCount() == len(ids)
        rows = shown(model)
        assert rows[offset : offset + limit] == ids[offset : offset + limit]
        assert mirror == rows, "whoever only listens to the signals sees the same"
        selected = {
            row.id for at, row in model.placed() if selection.isRowSelected(at, QModelIndex())
        }
        assert selected == chosen & {i for i in rows if i is not None}
        assert set(selection.chosen) == chosen
    assert resets.count() == 0
    assert tester is not None


def follow(model: JobTableModel, mirror: list[int | None]) -> None:
    """Keeps a copy by the signals alone, as a view does."""

    def at(position: int) -> int | None:
        row = model.row(position)
        return row.id if row else None

    def inserted(_parent: object, first: int, last: int) -> None:
        mirror[first:first] = [at(i) for i in range(first, last + 1)]

    def removed(_parent: object, first: int, last: int) -> None:
        del mirror[first : last + 1]

    def moved(_p: object, first: int, _last: int, _q: object, to: int) -> None:
        mirror.insert(to if to < first else to - 1, mirror.pop(first))

    def changed(top: QModelIndex, bottom: QModelIndex) -> None:
        for i in range(top.row(), bottom.row() + 1):
            mirror[i] = at(i)

    model.rowsInserted.connect(inserted)
    model.rowsRemoved.connect(removed)
    model.rowsMoved.connect(moved)
    model.dataChanged.connect(changed)


def test_only_the_columns_that_changed_are_painted_anew() -> None:
    model = table()
    model.take(page_of([1, 2, 3], 0, 3))
    changes = QSignalSpy(model.dataChanged)
    rows = (job_row(1), job_row(2, priority=90, next="next on Mill 2"), job_row(3))
    model.take(JobPage(rows, 0, 3))
    cells = [
        (changes.at(i)[0].row(), changes.at(i)[0].column(), changes.at(i)[1].column())
        for i in range(changes.count())
    ]
    priority, what_next = SHOWN_AT_FIRST.index("priority"), SHOWN_AT_FIRST.index("next")
    assert cells == [(1, at, at) for at in (priority, what_next)]


def test_rows_not_looked_at_yet_say_so_and_nothing_else() -> None:
    model = table()
    model.take(page_of(list(range(1, 101)), 0, 10))
    assert model.index(50, 0).data() == "…"
    assert model.index(50, 3).data() is None


def test_scrolling_through_all_rows_keeps_only_those_nearby() -> None:
    model = table()
    ids = list(range(1, 5001))
    for offset in range(0, 5000, 200):
        page = page_of(ids, offset, 200)
        if offset == 0:
            model.take(page)
        else:
            assert model.extend(page)
    assert len(model.known) == MOST_KNOWN
    assert model.known.stop == 5000


def test_another_job_never_inherits_the_place_of_a_selected_one() -> None:
    model = table()
    model.take(page_of([1, 2, 3, 4], 0, 4))
    selection = JobSelection(model)
    selection.select(
        model.index(1, 0),
        QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
    )
    model.take(page_of([1, 9, 3, 4, 2], 0, 5))
    assert selection.chosen == (2,)
    assert [at for at in range(5) if selection.isRowSelected(at, QModelIndex())] == [4]


def test_a_plain_click_forgets_the_selected_jobs_out_of_sight() -> None:
    model = table()
    model.take(page_of([1, 2, 3, 4], 0, 4))
    selection = JobSelection(model)
    flags = QItemSelectionModel.SelectionFlag
    selection.choose([1, 77])
    selection.select(model.index(2, 0), flags.Select | flags.Rows)
    added = selection.chosen
    selection.select(model.index(3, 0), flags.ClearAndSelect | flags.Rows)
    assert (added, selection.chosen) == ((1, 77, 3), (4,))


def test_columns_come_and_go_without_a_reset() -> None:
    model = table()
    model.take(page_of([1, 2], 0, 2))
    resets = QSignalSpy(model.modelReset)
    model.set_columns(["name", "state", "id", "next"])
    assert [column.key for column in model.columns] == ["name", "state", "id", "next"]
    assert model.index(1, 2).data() == "2"
    assert resets.count() == 0


def test_a_job_that_waits_out_a_failure_shows_as_retry() -> None:
    model = table()
    model.take(JobPage((job_row(1, state=JobState.DELAYED, failures=1),), 0, 1))
    assert model.index(0, 1).data(Qt.ItemDataRole.AccessibleTextRole) == "Retry"
