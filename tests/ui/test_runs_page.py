from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from sqlalchemy import insert

from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import RunState
from cnc_station.engine.store.schema import run
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.ui.pages.runs import RunsPage
from tests.ui.real_engine import Office, opened
from tests.until import until

LONG = {"durationMs": 3_600_000}


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[RunsPage]:
    async with opened(office, RunsPage(office.context)) as page:
        yield page


async def _submit(office: Office, name: str, handler: str, **values: Any) -> int:
    spec = JobSpec(name, handler=handler, **values)
    (job_id,) = await office.door.execute(SubmitJobs([spec]))
    return job_id


def _listed(page: RunsPage) -> list[str]:
    return [row.job for row in page.rows.rows]


async def test_without_runs_the_page_leads_to_the_jobs(office: Office, page: RunsPage) -> None:
    await until(page.empty.isVisible)
    page.empty.step.emit()
    assert office.went.to == [("page", "jobs")]


async def test_a_run_is_shown_with_its_result_and_its_output(
    office: Office, page: RunsPage
) -> None:
    job_id = await _submit(office, "hello", "test.echo", payload={"to": "<b>all</b>"})
    await until(lambda: page.detail.output.selected() == "{")
    page.detail.output.go_to(2)
    assert page.detail.output.selected() == '  "to": "<b>all</b>"'
    facts = page.detail.facts.pairs()
    assert facts["Handler"] == "test.echo"
    assert page.detail.words.isHidden()  # the output is the same text
    assert page.detail.cancel_button.isHidden()
    page.detail.job_button.click()
    assert office.went.to == [("job", job_id)]


async def test_a_live_run_can_be_cancelled_and_then_tried_again(
    office: Office, page: RunsPage
) -> None:
    await _submit(office, "wait", "test.delay", payload=LONG)
    await until(lambda: page.detail.caption.text() == "Nothing printed yet")
    assert page.detail.cancel_button.isVisible()
    assert page.detail.output.isHidden()
    page.detail.cancel_button.click()
    await until(lambda: [row.state for row in page.rows.rows] == [RunState.CANCELLED])
    await until(page.detail.retry_button.isVisible)
    page.detail.retry_button.click()
    await until(lambda: len(_listed(page)) == 2)


async def test_runs_are_narrowed_by_outcome_handler_station_and_text(
    office: Office, page: RunsPage
) -> None:
    failing = {"durationMs": 0, "shouldFail": True, "failMessage": "no paper"}
    await _submit(office, "fails", "test.delay", payload=failing, retry_limit=0)
    await _submit(office, "hello", "test.echo")
    await until(lambda: sorted(_listed(page)) == ["fails", "hello"])
    page.choose_outcome(RunState.FAILED)
    await until(lambda: _listed(page) == ["fails"])
    assert page.outcome.text() == "Outcome: Failed ▾"
    page.choose_outcome(None)
    page.choose_handler("test.echo")
    await until(lambda: _listed(page) == ["hello"])
    page.choose_handler(None)
    page.choose_station("elsewhere")
    await until(lambda: _listed(page) == [])
    page.choose_station(None)
    page.search("PAPER")
    await until(lambda: _listed(page) == ["fails"])
    await until(lambda: page.detail.words.text() == "no paper")
    page.search("nothing like it")
    await until(page.nothing_found.isVisible)


@dataclass(frozen=True)
class ManyRuns(OneByOne[None]):
    """Runs of a job that are over."""

    job_id: int
    count: int

    def write(self, tx: Tx) -> None:
        row = {
            "job_id": self.job_id,
            "station": "A",
            "state": "succeeded",
            "token": 1,
            "lease_until": 0,
            "assigned_at": 0,
            "error": "",
        }
        numbers = range(2, self.count + 2)
        tx.connection.execute(insert(run), [{**row, "attempt": number} for number in numbers])


async def test_the_list_grows_when_it_is_scrolled_to_its_end(
    office: Office, page: RunsPage
) -> None:
    job_id = await _submit(office, "old one", "test.echo")
    await until(lambda: page.rows.total == 1)
    await office.write(ManyRuns(job_id, 1_100))
    page.arrived()
    await until(lambda: page.rows.total == 500)
    assert page.count.text() == "The latest 500 runs, scroll for more"
    bar = page.table.verticalScrollBar()
    await until(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    await until(lambda: page.rows.total == 1_000 and bar.maximum() > bar.value())
    bar.setValue(bar.maximum())
    await until(lambda: page.count.text() == "1,101 runs")
    page.search("OLD")
    await until(lambda: page.rows.total == 500)


async def test_ticked_runs_are_cancelled_and_their_jobs_retried_together(
    office: Office, page: RunsPage
) -> None:
    failing = {"durationMs": 0, "shouldFail": True, "failMessage": "no paper"}
    await _submit(office, "fails", "test.delay", payload=failing, retry_limit=0)
    await until(lambda: [row.state for row in page.rows.rows] == [RunState.FAILED])
    await _submit(office, "wait", "test.delay", payload=LONG)
    await until(
        lambda: [row.state for row in page.rows.rows] == [RunState.RUNNING, RunState.FAILED]
    )
    page.rows.check([row.id for row in page.rows.rows])
    retry, cancel = page.ticked.buttons.values()
    assert (retry.text(), cancel.text()) == ("Retry jobs (1)", "Cancel runs (1)")
    cancel.click()
    await until(lambda: retry.text() == "Retry jobs (2)")
    assert not cancel.isEnabled()
    retry.click()
    await until(lambda: len(_listed(page)) == 4)
    assert office.said.done[-1] == "2 jobs: waiting again"
