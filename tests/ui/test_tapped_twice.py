"""A second tap, or one that comes late, never does the opposite nor the same to the next job."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cnc_station.engine.commands import ActOnMachine, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.queries import ListMachines
from cnc_station.ui.dialogs.set_up import SetUpDialog
from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.pages.attention import AttentionPage
from cnc_station.ui.pages.floor import FloorPage
from cnc_station.ui.pages.jobs import JobsPage
from cnc_station.ui.pages.machines import MachinesPage
from tests.ui.at_the_machine import comes_to, machine_comes_to, tap
from tests.ui.controller_fleet import IDLE, LINUXCNC, LINUXCNC_ANSWERS, Scripted, Shop, spec
from tests.ui.real_engine import Office, opened
from tests.ui.tapping import TapClock, click, click_at, middle
from tests.ui.test_attention_page import event_types, fail
from tests.until import until


@pytest.fixture
def mill() -> Scripted:
    return Scripted(IDLE, LINUXCNC_ANSWERS)


@pytest_asyncio.fixture
async def at_work(
    office: Office, mill: Scripted, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[int]:
    """A job that runs on Mill 1."""
    Shop({"mill": mill}).register(monkeypatch)
    await office.door.execute(AddMachine(spec("Mill 1", LINUXCNC, "mill", "VF-2")))
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill", estimated_s=600)]))
    await comes_to(office, job_id, JobState.RUNNING)
    await until(lambda: mill.cutting)
    yield job_id
    mill.end()


# hold and continue


async def test_hold_tapped_twice_on_a_card_stays_held(
    office: Office, at_work: int, mill: Scripted, tap_clock: TapClock
) -> None:
    async with opened(office, FloorPage(office.context)) as page:
        await until(lambda: page.column.cards)
        (card,) = page.column.cards.values()
        await until(lambda: card.button(CardAction.HOLD))
        hold = card.button(CardAction.HOLD)
        assert hold is not None
        here = middle(hold)
        tap_clock.stop()
        click(hold)
        await until(lambda: card.button(CardAction.CONTINUE))
        go_on = card.button(CardAction.CONTINUE)
        assert go_on is not None

        def both() -> None:
            click_at(here, page)
            click(go_on)

        await tap_clock.too_soon(both)
        await until(go_on.isEnabled)
        assert "resume" not in mill.asked
        await comes_to(office, at_work, JobState.HELD)
        assert office.went.to == [], "a tap on a dead button does not open the card"
        click(go_on)
        await comes_to(office, at_work, JobState.RUNNING)
        await until(lambda: card.button(CardAction.HOLD))
        assert hold.isEnabled(), "holding is never put off: it stands apart from Continue"


async def test_space_on_a_card_does_not_go_on_with_what_it_has_just_held(
    office: Office, at_work: int, mill: Scripted, tap_clock: TapClock
) -> None:
    async with opened(office, FloorPage(office.context)) as page:
        await until(lambda: page.column.cards)
        (card,) = page.column.cards.values()
        await until(lambda: card.button(CardAction.HOLD))
        page.activateWindow()
        card.setFocus()
        await until(card.hasFocus)
        tap_clock.stop()
        QTest.keyClick(card, Qt.Key.Key_Space)
        await until(lambda: card.button(CardAction.CONTINUE))
        await tap_clock.too_soon(lambda: QTest.keyClick(card, Qt.Key.Key_Space))
        go_on = card.button(CardAction.CONTINUE)
        assert go_on is not None
        await until(go_on.isEnabled)
        assert "resume" not in mill.asked
        QTest.keyClick(card, Qt.Key.Key_Space)
        await comes_to(office, at_work, JobState.RUNNING)


async def test_hold_tapped_by_mouse_leaves_the_keyboard_on_that_card(
    office: Office, at_work: int
) -> None:
    await office.door.execute(AddMachine(spec("Mill 2", LINUXCNC, "mill-2", "VF-2")))
    async with opened(office, FloorPage(office.context)) as page:
        await until(lambda: len(page.column.cards) == 2)
        card = next(c for c in page.column.cards.values() if c.words.name == "Mill 1")
        await until(lambda: card.button(CardAction.HOLD))
        hold = card.button(CardAction.HOLD)
        assert hold is not None
        page.activateWindow()
        hold.setFocus()
        await until(hold.hasFocus)
        click(hold)
        await until(lambda: card.button(CardAction.CONTINUE))
        assert card.hasFocus()
    await comes_to(office, at_work, JobState.HELD)


async def test_hold_tapped_twice_on_the_machines_page_stays_held(
    office: Office, at_work: int, mill: Scripted, tap_clock: TapClock
) -> None:
    async with opened(office, MachinesPage(office.context)) as page:
        buttons = page.detail.buttons
        await until(lambda: buttons.hold_button.isVisible() and buttons.hold_button.isEnabled())
        here = middle(buttons.hold_button)
        tap_clock.stop()
        click(buttons.hold_button)
        await machine_comes_to(office, MachineState.HELD)
        await until(lambda: not buttons.hold_button.isEnabled())
        assert middle(buttons.hold_button) == here, "it keeps its place"

        def both() -> None:
            click_at(here, page)
            click(buttons.go_on_button)

        await tap_clock.too_soon(both)
        await until(buttons.go_on_button.isEnabled)
        assert "resume" not in mill.asked
        click(buttons.go_on_button)
        await comes_to(office, at_work, JobState.RUNNING)
        await until(buttons.hold_button.isEnabled)
        assert not buttons.go_on_button.isEnabled()


async def test_hold_tapped_twice_in_the_job_panel_stays_held(
    office: Office, at_work: int, mill: Scripted, tap_clock: TapClock
) -> None:
    async with opened(office, JobsPage(office.context)) as page:
        await until(lambda: page.model.total == 1)
        page.open_job(at_work)
        row = page.detail.actions_row
        await until(lambda: "hold" in row.buttons and row.buttons["hold"].isEnabled())
        here = middle(row.buttons["hold"])
        tap_clock.stop()
        click(row.buttons["hold"])
        await until(lambda: "continue" in row.buttons)

        def both() -> None:
            click_at(here, page)
            click(row.buttons["continue"])

        await tap_clock.too_soon(both)
        await until(row.buttons["continue"].isEnabled)
        assert "resume" not in mill.asked
        click(row.buttons["continue"])
        await comes_to(office, at_work, JobState.RUNNING)


async def test_space_on_the_job_list_does_not_go_on_with_what_it_has_just_held(
    office: Office, at_work: int, mill: Scripted, tap_clock: TapClock
) -> None:
    async with opened(office, JobsPage(office.context)) as page:
        await until(lambda: [r.state for _, r in page.model.placed()] == [JobState.RUNNING])
        page.view.setFocus()
        page.view.setCurrentIndex(page.model.index(0, 0))
        tap_clock.stop()
        QTest.keyClick(page.view, Qt.Key.Key_Space)
        await until(lambda: [r.state for r in page.selected.rows] == [JobState.HELD])
        await tap_clock.too_soon(lambda: QTest.keyClick(page.view, Qt.Key.Key_Space))
        assert "resume" not in mill.asked
        QTest.keyClick(page.view, Qt.Key.Key_Space)
        await comes_to(office, at_work, JobState.RUNNING)


# rows that move up


async def test_retry_tapped_twice_retries_one_job(office: Office, tap_clock: TapClock) -> None:
    first, second = await fail(office, "Hinge", "Bracket")
    (machine,) = await office.door.ask(ListMachines())  # the first does not fail again meanwhile
    await office.door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, machine.id))
    async with opened(office, AttentionPage(office.context)) as page:
        detail = page.detail
        before = await event_types(office, second)

        def shown() -> int | None:
            return None if detail.shown is None else detail.shown.row.id

        await until(lambda: detail.is_settled and detail.retry_button.isEnabled())
        assert shown() == first
        tap_clock.stop()
        click(detail.retry_button)
        await until(lambda: shown() == second)

        def all_ways() -> None:
            click(detail.retry_button)
            for action in page.actions():  # R, and E
                action.trigger()

        await tap_clock.too_soon(all_ways)
        assert not detail.retry_button.isEnabled()
        await until(detail.retry_button.isEnabled)
        assert await event_types(office, second) == before
        page.actions()[0].trigger()
        await until(
            lambda: (
                office.said.done == [f"Job {first}: waiting again", f"Job {second}: waiting again"]
            )
        )


async def test_a_row_that_a_person_has_chosen_can_be_retried_at_once(
    office: Office, tap_clock: TapClock
) -> None:
    _, second = await fail(office, "Hinge", "Bracket")
    async with opened(office, AttentionPage(office.context)) as page:
        await until(lambda: page.detail.is_settled)
        tap_clock.stop()
        QTest.keyClick(page.table, Qt.Key.Key_Down)
        await until(lambda: page.detail.shown and page.detail.shown.row.id == second)
        assert page.detail.retry_button.isEnabled()


# dialogs that come up under the finger


async def test_set_up_tapped_twice_does_not_start_the_machine(
    office: Office, mill: Scripted, tap_clock: TapClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop({"mill": mill}).register(monkeypatch)
    one = spec("Mill 1", LINUXCNC, "mill", "VF-2", operator_starts=True)
    await office.door.execute(AddMachine(one))
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill")]))
    await comes_to(office, job_id, JobState.ASSIGNED)
    async with opened(office, FloorPage(office.context)) as page:
        tap_clock.stop()
        await tap(page, CardAction.SET_UP)
        dialog = page.at_machine.dialog
        assert isinstance(dialog, SetUpDialog)
        for line in dialog.rows:
            line.click()
        await tap_clock.too_soon(lambda: click(dialog.start))
        await until(dialog.start.isEnabled)
        assert "start" not in mill.asked
        click(dialog.start)
        await comes_to(office, job_id, JobState.RUNNING)
        await until(lambda: page.at_machine.dialog is None)
    mill.end()
