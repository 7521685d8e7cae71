"""What needs a person beside jobs: machines out of reach, stations, positions, the database."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from sqlalchemy import create_engine, text, update

from cnc_station.engine.commands import AddMachine, SaveSettings, SubmitJobs
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import FROM_ELSEWHERE, MachineSpec, Position, PositionBasis
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.queries import ListMachines
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.schema import machine
from cnc_station.engine.views import (
    Abilities,
    Doing,
    Link,
    MachineCard,
    MachineRow,
    PositionRecord,
    Presence,
    Remedy,
    Status,
)
from cnc_station.ui import formatting
from cnc_station.ui import shell as shell_module
from cnc_station.ui.dialogs.accept_database import AcceptDatabaseDialog
from cnc_station.ui.dialogs.confirm_position import ConfirmPositionDialog
from cnc_station.ui.drivers import machine_look
from cnc_station.ui.floor.card_text import CardAction, card_text_of
from cnc_station.ui.frame import Frame
from cnc_station.ui.needs import link_needs
from cnc_station.ui.pages.floor import FloorPage
from cnc_station.ui.pages.jobs import JobsPage
from cnc_station.ui.pages.machine_about import position_words
from cnc_station.ui.pages.machine_buttons import MachineButtons
from cnc_station.ui.pages.machines import MachinesPage
from cnc_station.ui.shell import Shell
from cnc_station.ui.theme import Tone
from tests.engine.floor import by_hand
from tests.ui.controller_fleet import IDLE, LINUXCNC, LINUXCNC_ANSWERS, Scripted, Shop, spec
from tests.ui.real_engine import ME, Office, opened
from tests.until import until

NOW = 1_790_000_000_000
RAW = "ConnectionRefusedError: [Errno 111] Connect call failed"
AWAY = Unavailable("192.0.2.5 port 5007 does not answer", raw=RAW)
A_SILENT_STATION = (
    "INSERT INTO station (name, incarnation, host, version, started_at, heard_at, lag_ms) "
    "SELECT 'Hall 2', 'old', host, version, started_at, heard_at - 60000, 7 FROM station"
)
LOST = Position(PositionBasis.LOST, "the controller was switched off and on")
LOST_STATUS = Status(Doing.NOT_READY, LOST.reason, x=12.5, y=-3.25, z=40.0, position=LOST)
KNOWN_STATUS = replace(IDLE, position=Position(PositionBasis.HOMED, "homed"))


@pytest.fixture
def mill() -> Scripted:
    return Scripted(IDLE, LINUXCNC_ANSWERS)


@pytest_asyncio.fixture
async def page(
    mill: Scripted, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FloorPage]:
    Shop({"mill": mill}).register(monkeypatch)
    async with opened(office, FloorPage(office.context)) as page:
        yield page


async def add(office: Office) -> int:
    return await office.door.execute(AddMachine(spec("Mill 1", LINUXCNC, "mill", "VF-2")))


def needs(page: FloorPage) -> list[str]:
    return [row.words.title for row in page.side.needs.rows.values()]


def tap_remedy(page: FloorPage, title: str) -> None:
    rows = {row.words.title: row for row in page.side.needs.rows.values()}
    button = rows[title].remedy
    assert button is not None
    button.click()


async def test_a_machine_out_of_reach_is_tried_again_with_a_tap_and_says_what_came_of_it(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    mill.refuses["connect"] = AWAY
    machine = await add(office)
    await until(lambda: needs(page) == ["Mill 1: not reachable"])
    card = page.column.cards[machine]
    assert card.words.look.word == card.words.title == "Not reachable"
    assert card.words.note == str(AWAY)
    tap_remedy(page, "Mill 1: not reachable")
    await until(lambda: office.said.failed)
    assert office.said.failed == [f"Mill 1: {AWAY}"]
    assert office.said.details == [RAW]
    del mill.refuses["connect"]
    button = card.button(CardAction.RECONNECT)
    assert button is not None
    button.click()
    await until(lambda: not needs(page))
    assert office.said.done == ["Mill 1 answers again"]


async def test_a_lost_position_is_confirmed_after_looking_and_not_by_a_slip(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    machine = await add(office)
    await until(lambda: machine in page.column.cards)
    mill.says(LOST_STATUS)
    await until(lambda: needs(page) == ["Mill 1: confirm its work zero"])
    tap_remedy(page, "Mill 1: confirm its work zero")
    await until(lambda: page.at_machine.dialog)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, ConfirmPositionDialog)
    facts = dialog.facts.pairs()
    assert facts["What happened"] == "The controller was switched off and on"
    assert facts["It shows now"] == "X 12.500  Y -3.250  Z 40.000"
    QTest.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    assert "confirm_position" not in mill.asked
    dialog.confirm.held.emit()
    await until(lambda: page.at_machine.dialog is None)
    assert office.said.done == ["Mill 1: work zero confirmed"]
    await until(lambda: not needs(page))
    (row,) = await office.door.ask(ListMachines())
    assert row.position is not None
    assert (row.position.position.basis, row.position.by) == (PositionBasis.CONFIRMED, ME.name)


async def test_a_position_that_cannot_be_confirmed_is_refused_in_the_dialog(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    machine = await add(office)
    await until(lambda: machine in page.column.cards)
    mill.says(LOST_STATUS)
    mill.refuses["confirm_position"] = Unavailable("home the machine: it can find its place itself")
    card = page.column.cards[machine]
    await until(lambda: card.button(CardAction.CONFIRM_POSITION))
    button = card.button(CardAction.CONFIRM_POSITION)
    assert button is not None
    button.click()
    await until(lambda: page.at_machine.dialog)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, ConfirmPositionDialog)
    dialog.confirm.held.emit()
    await until(dialog.trouble.isVisible)
    assert dialog.trouble.text() == "home the machine: it can find its place itself"
    mill.says(KNOWN_STATUS)  # it is homed: nothing is asked any more
    await until(lambda: page.at_machine.dialog is None)


async def test_machines_of_a_moved_database_are_released_by_a_person_and_not_by_a_slip(
    office: Office, page: FloorPage
) -> None:
    machine_id = await add(office)
    await until(lambda: machine_id in page.column.cards)
    held = {"state": MachineState.MAINTENANCE.value, "state_reason": FROM_ELSEWHERE}
    by_hand(office.engine, update(machine).values(held))
    title = "Database moved or copied: machines held"
    await until(lambda: needs(page) == [title])
    tap_remedy(page, title)
    await until(lambda: page.at_machine.dialog)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, AcceptDatabaseDialog)
    assert dialog.machines.text() == "Mill 1"
    QTest.mouseClick(dialog.agree, Qt.MouseButton.LeftButton)
    (row,) = await office.door.ask(ListMachines())
    assert row.from_elsewhere
    dialog.agree.held.emit()
    await until(lambda: page.at_machine.dialog is None)
    assert office.said.done == ["The machines are run from this computer"]
    await until(lambda: not needs(page))
    (row,) = await office.door.ask(ListMachines())
    assert row.state is not MachineState.MAINTENANCE


def machine_row(state: MachineState = MachineState.IDLE, **changes: object) -> MachineRow:
    made = MachineRow(
        id=1,
        version=1,
        spec=MachineSpec("Mill 1", "mill"),
        state=state,
        state_since=NOW,
        state_reason="",
        station="Hall 2",
        maintenance_due=False,
        job_id=None,
        run_id=None,
        run_started_at=None,
        runs_done=0,
        run_seconds=0.0,
        last_material="",
        last_program="",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", MachineState)
@pytest.mark.parametrize("presence", [Presence.SILENT, Presence.LEFT])
@pytest.mark.usefixtures("qapp")
def test_a_machine_whose_station_is_not_there_offers_nothing_and_says_why(
    state: MachineState, presence: Presence
) -> None:
    lost = PositionRecord(LOST, NOW, "controller")
    machine = machine_row(
        state, presence=presence, job_id=3, run_id=3, position=lost, unreached_since=NOW
    )
    shown = card_text_of(MachineCard(machine, None, None, "", 0), None, NOW)
    assert shown.remedies == (CardAction.DETAILS,)
    assert shown.corner is None
    silent = presence is Presence.SILENT
    assert shown.title == f"Station Hall 2 {'does not respond' if silent else 'is closed'}"
    buttons = MachineButtons()
    buttons.show_machine(machine, Abilities())
    assert buttons.isHidden()
    buttons.deleteLater()


def test_a_machine_out_of_reach_has_one_word_wherever_it_is_shown() -> None:
    away = machine_row(MachineState.OFFLINE, state_reason="does not answer", unreached_since=NOW)
    card = card_text_of(MachineCard(away, None, None, "", 0), None, NOW)
    assert {machine_look(away).word, card.look.word, card.title} == {"Not reachable"}
    assert machine_look(away).tone is Tone.HELD
    assert machine_look(machine_row(MachineState.OFFLINE)).word == "Connecting"
    closed = machine_row(MachineState.OFFLINE, presence=Presence.LEFT)
    assert machine_look(closed).word == "Station closed"


def test_a_position_says_since_when_it_is_known_and_by_what() -> None:
    clock = formatting.moment(NOW, NOW)

    def said(basis: PositionBasis, by: str = "controller", why: str = "why") -> list[str]:
        record = PositionRecord(Position(basis, why), NOW, by)
        return list(position_words(machine_row(position=record), NOW))

    assert said(PositionBasis.HOMED) == [f"known since {clock}: homed"]
    assert said(PositionBasis.CONFIRMED, "Ana") == [f"known since {clock}: confirmed by Ana"]
    assert said(PositionBasis.LOST, why=LOST.reason) == [f"not known since {clock}: {LOST.reason}"]
    assert list(position_words(machine_row(), NOW)) == []


def test_a_database_that_cannot_be_used_is_a_need_and_a_slow_redis_is_none() -> None:
    full = Link("database", "offline", NOW, "The disk is full: nothing was saved. Free some space.")
    redis, there = Link("redis", "offline", NOW, "gone"), Link("database", "connected", NOW)
    taken = Link("name", "offline", NOW, "Another station is called A now.")
    assert link_needs([there, redis]) == ()
    database, name = link_needs([full, redis, taken])
    assert (database.remedy, database.title) == (Remedy.TRY_LINK, "Database: not saving")
    assert (database.since, database.at_panel) == (NOW, False)
    assert database.text == "The disk is full: nothing was saved. Free some space"
    assert (name.title, name.at_panel) == ("This station: its name is taken", True)


async def test_a_database_in_trouble_stands_first_and_is_tried_again(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    mill.refuses["connect"] = AWAY
    await add(office)
    await until(lambda: needs(page) == ["Mill 1: not reachable"])
    office.lose("database", "The disk is full.")
    await until(lambda: needs(page)[:1] == ["Database: not saving"])
    tap_remedy(page, "Database: not saving")
    await until(lambda: "The database answers again" in office.said.done)
    await until(lambda: needs(page) == ["Mill 1: not reachable"])


def fall_silent(office: Office, data: Path) -> None:
    """The machine is given to a station that was heard of a minute ago."""
    database = create_engine(f"sqlite:///{data / 'station.db'}")
    with database.begin() as connection:
        connection.execute(text(A_SILENT_STATION))
        connection.execute(text("UPDATE machine SET station = 'Hall 2'"))
    database.dispose()
    office.look_everywhere()


async def test_a_silent_station_is_a_need_that_can_be_looked_for_again(
    office: Office, page: FloorPage, tmp_path: Path
) -> None:
    await add(office)
    fall_silent(office, tmp_path)
    await until(lambda: needs(page) == ["Station Hall 2: not responding"])
    (row,) = page.side.needs.rows.values()
    assert "Mill 1" in row.words.note
    tap_remedy(page, "Station Hall 2: not responding")
    await until(lambda: office.said.failed)
    assert office.said.failed[0].startswith("Station Hall 2 still does not respond")
    row.click()
    assert office.went.to == [("page", "stations")]


async def test_the_rail_counts_what_each_page_shows(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    """The floor has all of it; machines, stations and jobs have their own."""
    mill.refuses["connect"] = AWAY
    machine = await add(office)
    await until(lambda: needs(page) == ["Mill 1: not reachable"])
    shell = Shell(Frame())
    shell.open(office.engine.door(ME), lambda: office.door.execute(SaveSettings({})))
    rail = shell.window.rail
    try:
        await until(lambda: (rail.badge("floor"), rail.badge("machines")) == (1, 1))
        assert (rail.badge("attention"), rail.badge("stations")) == (0, 0)
        office.lose("database", "The disk is full.")
        await until(lambda: (rail.badge("floor"), rail.badge("machines")) == (2, 1))
        await office.write(MoveMachine((t.MAINTENANCE_STARTED,), machine, "tester", "bearings"))
        await until(lambda: (rail.badge("floor"), rail.badge("machines")) == (0, 0))
    finally:
        await shell.close()
        shell.window.finish()
        shell.window.deleteLater()


async def test_the_machine_page_keeps_the_systems_words_behind_details(
    office: Office, mill: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop({"mill": mill}).register(monkeypatch)
    mill.refuses["connect"] = AWAY
    await add(office)
    async with opened(office, MachinesPage(office.context)) as page:
        detail = page.detail
        await until(lambda: detail.details.isVisibleTo(detail))
        await until(lambda: detail.why.text() == str(AWAY))
        assert not detail.details.words.isVisibleTo(detail)
        detail.details.button.click()
        assert detail.details.words.isVisibleTo(detail)
        assert detail.details.words.text() == RAW
        detail.buttons.reconnect_button.click()
        await until(lambda: office.said.failed == [f"Mill 1: {AWAY}"])


async def test_the_pages_are_told_that_a_station_has_fallen_silent(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mill: Scripted
) -> None:
    """Nothing is written when it does; its machine and its job offer nothing any more."""
    Shop({"mill": mill}).register(monkeypatch)
    monkeypatch.setattr(shell_module, "SLOW_LOOK_MS", 100)
    machine = await add(office)
    (job,) = await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill", estimated_s=900.0)]))
    shell = Shell(Frame())
    shell.window.show()
    shell.open(office.engine.door(ME), lambda: office.door.execute(SaveSettings({})))
    try:
        shell.to_machine(machine)
        machines = shell.window.page("machines")
        assert isinstance(machines, MachinesPage)
        await until(lambda: not machines.detail.buttons.hold_button.isHidden())
        await until(lambda: shell.presences)
        database = create_engine(f"sqlite:///{tmp_path / 'station.db'}")
        with database.begin() as connection:
            connection.execute(text(A_SILENT_STATION))
            connection.execute(text("UPDATE machine SET station = 'Hall 2'"))
        database.dispose()
        await until(machines.detail.buttons.isHidden)
        assert machines.detail.why.text() == "Station Hall 2 does not respond"
        shell.to_job(job)
        jobs = shell.window.page("jobs")
        assert isinstance(jobs, JobsPage)
        await until(lambda: jobs.detail.row is not None and jobs.commands.unattended)
        await until(lambda: jobs.detail.second.text().startswith("Station Hall 2"))
        assert jobs.detail.actions_row.abort is None
        assert "hold" not in jobs.detail.actions_row.buttons
    finally:
        await shell.close()
        shell.window.finish()
        shell.window.deleteLater()
        mill.end()
