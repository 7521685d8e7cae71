"""The Stations page on a real fleet: stations A (at whose window one sits) and B, on PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import AboutStation, JobsById, ListEvents
from cnc_station.engine.services.lifeline import LONGEST_BEAT_S
from cnc_station.engine.store.readiness import SetReadiness
from cnc_station.engine.views import SILENT_AFTER_S, Presence
from cnc_station.ui.models.fleet import StationMachines
from cnc_station.ui.pages.stations import StationsPage
from tests.ui.real_engine import ME, Office, mill, opened
from tests.until import until


@pytest.fixture
def config(config: Config, shop_url: str) -> Config:
    """The office's engine is one of a fleet here."""
    return replace(config, database_url=shop_url, simulator_speed=1.0)


@pytest_asyncio.fixture
async def other(office: Office, config: Config) -> AsyncIterator[StationEngine]:
    """Station B, which joins after A and leaves before it."""
    assert office.door.peek(AboutStation()).station == "A"
    engine = StationEngine(replace(config, station="B"))
    await engine.start()
    yield engine
    await engine.stop()


@pytest_asyncio.fixture
async def page(office: Office, other: StationEngine) -> AsyncIterator[StationsPage]:
    assert other.local_door.peek(AboutStation()).station == "B"
    async with opened(office, StationsPage(office.context)) as page:
        await until(lambda: len(page.rows.rows) == 2)
        yield page


def place(page: StationsPage, name: str) -> StationMachines:
    return next(p for p in page.rows.rows if p.station.name == name)


def cells(page: StationsPage, name: str) -> dict[str, str]:
    at = page.rows.position(name)
    row = None if at is None else page.rows.row(at)
    assert row is not None
    return {column.title: column.text(row) for column in page.rows.columns}


def a_station_of_old(url: str, silent_s: int, version: str) -> None:
    """C joined once and was last heard of so many seconds ago."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO station (name, incarnation, host, version, started_at, heard_at, lag_ms) "
            "SELECT 'C', 'old', host, %s, started_at, heard_at - %s, 7 "
            "FROM station WHERE name = 'A'",
            (version, silent_s * 1000),
        )


async def test_who_is_there_and_who_leads_is_seen(page: StationsPage) -> None:
    await until(lambda: place(page, "A").station.leads)
    a, b = cells(page, "A"), cells(page, "B")
    assert (a["State"], a["Last seen"], a["Leads"]) == ("This PC", "now", "term 1")
    assert (b["State"], b["Last seen"], b["Leads"]) == ("Connected", "now", "")
    assert a["Lag"].endswith(" ms")
    assert page.count.text() == "2 online · A leads, term 1 · 0 at work"


async def test_a_station_that_is_silent_says_for_how_long_and_the_time_goes_on(
    page: StationsPage, shop_url: str
) -> None:
    a_station_of_old(shop_url, 600, "0.0.1")
    await until(lambda: page.rows.position("C") is not None)
    seen = cells(page, "C")
    assert (seen["State"], seen["Lag"]) == ("Not responding", "—")
    assert seen["Last seen"].startswith("10:0")
    assert page.count.text().startswith("2 online · 1 not responding · ")
    assert seen["Version"] == "0.0.1 · differs"
    await until(lambda: cells(page, "C")["Last seen"] > seen["Last seen"])


async def test_a_station_that_left_stands_last_and_is_not_counted(
    page: StationsPage, other: StationEngine
) -> None:
    await other.stop()
    await until(lambda: place(page, "B").station.presence is Presence.LEFT)
    assert [p.station.name for p in page.rows.rows] == ["A", "B"]
    assert cells(page, "B")["Last seen"] == "—"
    assert page.count.text().startswith("1 online")


async def test_two_missing_heartbeats_are_silence() -> None:
    assert 2 * LONGEST_BEAT_S < SILENT_AFTER_S < 3 * LONGEST_BEAT_S


async def test_what_runs_at_another_station_is_seen_with_its_job(
    page: StationsPage, other: StationEngine
) -> None:
    await other.door(ME).execute(AddMachine(mill("Mill 7")))
    (job_id,) = await other.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=900.0)])
    )
    await until(lambda: place(page, "B").at_work)
    assert cells(page, "B")["At work"] == "Mill 7"
    at = page.rows.position("B")
    assert at is not None
    page.table.choose(at)
    await until(lambda: page.detail.post)
    (post,) = page.detail.posts.rows
    assert post.job is not None
    assert (post.machine.spec.name, post.job.id) == ("Mill 7", job_id)
    assert not page.detail.move_button.isEnabled()
    assert page.detail.why_not.text().startswith("Mill 7 is at work")
    assert page.move_machine() is None
    (row,) = await other.local_door.ask(JobsById([job_id]))
    assert row.state in (JobState.ASSIGNED, JobState.RUNNING)


async def test_a_machine_at_rest_is_moved_to_another_station_by_two_taps(
    office: Office, page: StationsPage
) -> None:
    await office.door.execute(AddMachine(mill()))
    await until(lambda: page.detail.post and page.detail.move_button.isEnabled())
    form = page.move_machine()
    assert form is not None
    assert [form.station.itemText(at) for at in range(form.station.count())] == ["B"]
    form.save_button.click()
    await until(lambda: [p.machine.spec.name for p in place(page, "B").posts] == ["Mill 1"])
    await until(lambda: place(page, "B").posts[0].machine.state is MachineState.IDLE)
    (event,) = [e for e in await office.door.ask(ListEvents()) if e.type == "machine_moved"]
    assert (event.actor, event.reason) == ("tester", "to station B")


async def test_a_move_that_is_not_allowed_any_more_is_refused_in_the_dialog(
    office: Office, page: StationsPage
) -> None:
    await office.door.execute(AddMachine(mill()))
    await until(lambda: page.detail.post and page.detail.move_button.isEnabled())
    form = page.move_machine()
    assert form is not None
    await office.door.execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=900.0)]))
    await until(lambda: place(page, "A").at_work)
    form.save_button.click()
    await until(form.trouble.text)
    assert "when its run is over" in form.trouble.text()
    assert form.isVisible()
    assert [p.machine.station for p in place(page, "A").posts] == ["A"]
    form.reject()


async def test_without_another_station_a_machine_stays(
    office: Office, page: StationsPage, other: StationEngine
) -> None:
    await office.door.execute(AddMachine(mill()))
    await until(page.detail.move_button.isEnabled)
    await other.stop()
    await until(lambda: not page.detail.move_button.isEnabled())
    assert page.detail.why_not.text() == "No other station is there to move it to."


def give_to(url: str, station: str) -> None:
    """Behind everybody's back, as if it had always been there."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE machine SET station = %s", (station,))


async def test_a_silent_station_is_not_said_to_let_go_of_its_machine(
    office: Office, page: StationsPage, shop_url: str
) -> None:
    await office.door.execute(AddMachine(mill()))
    a_station_of_old(shop_url, 600, "0.0.1")
    give_to(shop_url, "C")
    await until(lambda: page.rows.position("C") is not None and place(page, "C").posts)
    at = page.rows.position("C")
    assert at is not None
    page.table.choose(at)
    await until(lambda: page.detail.post and page.detail.move_button.isEnabled())
    assert "Nothing starts on its machines" in page.detail.meaning.text()
    form = page.move_machine()
    assert form is not None
    said = form.station.accessibleDescription()
    assert "make sure that it does not drive the machine" in said
    form.reject()


async def test_a_machine_that_is_not_ready_is_shown_as_its_own_page_shows_it(
    office: Office, page: StationsPage
) -> None:
    machine_id = await office.door.execute(AddMachine(mill()))
    await until(lambda: page.detail.post and page.detail.post.machine.state is MachineState.IDLE)
    await office.write(SetReadiness(machine_id, "its door is open", "controller"))
    state = page.detail.posts.columns[1]
    await until(lambda: [state.text(post) for post in page.detail.posts.rows] == ["Not ready"])


async def test_a_machine_is_one_step_from_its_own_page(office: Office, page: StationsPage) -> None:
    machine_id = await office.door.execute(AddMachine(mill()))
    await until(lambda: page.detail.post)
    page.detail.machine_button.click()
    assert office.went.to == [("machine", machine_id)]


async def test_the_search_finds_a_station_by_its_machine(
    page: StationsPage, other: StationEngine
) -> None:
    await other.door(ME).execute(AddMachine(mill("Mill 7")))
    page.search("mill 7")
    await until(lambda: [p.station.name for p in page.rows.rows] == ["B"])
    page.search("mill 8")
    await until(page.nothing_found.isVisible)
