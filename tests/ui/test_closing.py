"""Closing the window while something runs: a person says what is to become of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QSystemTrayIcon

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import FloorNow, JobsById, ListActiveRuns, ListEvents
from cnc_station.engine.views import Abilities, AtClosing
from cnc_station.one_window import OneWindow
from cnc_station.ui.background import Background
from cnc_station.ui.closing import Closing
from cnc_station.ui.dialogs.closing import ClosingDialog
from cnc_station.ui.main_window import MainWindow
from tests.ui.at_the_machine import comes_to
from tests.ui.controller_fleet import (
    GRBL,
    IDLE,
    LINUXCNC,
    LINUXCNC_ANSWERS,
    MTCONNECT,
    WATCHES,
    Scripted,
    Shop,
    spec,
)
from tests.ui.real_engine import Office, mill
from tests.until import until


class Desktop:
    """A window whose closing is asked for as the program does."""

    def __init__(self, office: Office, *, tray: bool = False) -> None:
        self.window = MainWindow([])
        self.tray = tray
        self.background = Background(self.window, lambda: self.tray)
        self.closing = Closing(office.context, self.window, self.background)
        self.agreed = 0
        self.closing.agreed.connect(self._agree)
        self.window.close_requested.connect(self.closing.ask)
        self.window.show()

    def _agree(self) -> None:
        self.agreed += 1

    async def asked(self) -> ClosingDialog:
        self.window.close()
        await until(lambda: self.closing.dialog is not None and self.closing.dialog.isVisible())
        assert self.closing.dialog is not None
        return self.closing.dialog

    async def over(self) -> None:
        await until(lambda: self.closing.dialog is None and not self.closing.asking)


@pytest.fixture
def shop() -> Shop:
    return Shop(
        {
            "linuxcnc": Scripted(IDLE, LINUXCNC_ANSWERS),
            "grbl": Scripted(IDLE, LINUXCNC_ANSWERS, abilities=Abilities(outlives=False)),
            "agent": Scripted(IDLE, LINUXCNC_ANSWERS, abilities=WATCHES),
        }
    )


@pytest_asyncio.fixture
async def desktop(
    shop: Shop, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desktop]:
    shop.register(monkeypatch)
    desktop = Desktop(office)
    yield desktop
    shop.end_all()
    await office.context.operations.close()
    desktop.window.finish()
    desktop.window.deleteLater()


async def run_on(office: Office, kind: str) -> int:
    """A job that runs on a machine of its own: those before it are taken."""
    machine = {
        "linuxcnc": spec("Mill 1", LINUXCNC, "linuxcnc", "VF-2"),
        "grbl": spec("Router 1", GRBL, "grbl", "6040"),
        "agent": spec("Lathe 1", MTCONNECT, "agent", "ST-10"),
        "simulator": mill("Simulated", speed=0.001),
        "tended": spec("Mill 2", LINUXCNC, "tended", "VF-2", operator_starts=True),
    }[kind]
    await office.door.execute(AddMachine(machine))
    made = JobSpec(f"Part {kind}", machine.machine_type, estimated_s=600, complexity=1)
    (job_id,) = await office.door.execute(SubmitJobs([made]))
    if kind == "tended":
        await comes_to(office, job_id, JobState.ASSIGNED)
        return job_id
    if kind == "agent":
        await comes_to(office, job_id, JobState.ASSIGNED)
        await office.door.execute(ActOnJobs(JobAction.START, [job_id]))
    await comes_to(office, job_id, JobState.RUNNING)
    return job_id


def says(dialog: ClosingDialog) -> list[str]:
    """What the dialog lists, from top to bottom."""
    body = dialog.runs.layout()
    widgets = [body.itemAt(at).widget() for at in range(body.count())]  # type: ignore[union-attr] # - each has an item
    return [widget.text() for widget in widgets if isinstance(widget, QLabel)]


async def test_closing_with_nothing_running_asks_nothing(desktop: Desktop) -> None:
    desktop.window.close()
    assert desktop.agreed == 1
    assert desktop.closing.dialog is None


async def test_a_job_that_only_waits_for_its_set_up_is_no_reason_to_ask(
    desktop: Desktop, office: Office
) -> None:
    await run_on(office, "tended")
    await until(lambda: office.door.peek(ListActiveRuns()))
    desktop.window.close()
    assert desktop.agreed == 1


async def test_the_question_names_what_goes_on_and_what_would_be_aborted(
    desktop: Desktop, office: Office
) -> None:
    for kind in ("tended", "linuxcnc", "grbl", "agent", "simulator"):
        await run_on(office, kind)
    dialog = await desktop.asked()
    assert says(dialog) == [
        "Aborted half-way, the part has to be looked at",
        "Router 1 · Part grbl",
        "Stopped, and begin again at the next start",
        "Simulated · Part simulator",
        "Go on at their controls without CNC Station",
        "Mill 1 · Part linuxcnc",
        "Lathe 1 · Part agent",
        "Have not begun, go back into the queue",
        "Mill 2 · Part tended",
    ]
    assert dialog.abort.text() == "Abort 2 runs and close: hold 2 s"
    assert dialog.keep.isDefault()
    dialog.cancel.click()
    await desktop.over()
    assert desktop.agreed == 0


async def test_what_was_announced_is_what_closing_does(
    desktop: Desktop, office: Office, shop: Shop
) -> None:
    jobs = {kind: await run_on(office, kind) for kind in ("linuxcnc", "grbl", "simulator")}
    await until(lambda: shop.at["linuxcnc"].cutting and shop.at["grbl"].cutting)
    announced = {run.job_id: run.at_closing for run in office.door.peek(ListActiveRuns())}
    await office.stop_runs()
    became = {row.id: row.state for row in await office.door.ask(JobsById(list(jobs.values())))}
    assert announced == {
        jobs["linuxcnc"]: AtClosing.GOES_ON,
        jobs["grbl"]: AtClosing.ABORTED,
        jobs["simulator"]: AtClosing.BEGINS_AGAIN,
    }
    assert became[jobs["linuxcnc"]] is JobState.RUNNING
    assert became[jobs["grbl"]] is JobState.INTERRUPTED
    # The dispatcher, which a station stops before, may have claimed it again by now.
    told = [event.type for event in await office.door.ask(ListEvents(job_id=jobs["simulator"]))]
    assert "requeued" in told
    assert "abort" not in shop.at["linuxcnc"].asked
    assert desktop.agreed == 0


async def test_a_second_close_does_not_stack_dialogs(desktop: Desktop, office: Office) -> None:
    await run_on(office, "grbl")
    dialog = await desktop.asked()
    desktop.window.close()
    desktop.window.close()
    assert await desktop.asked() is dialog
    assert len(desktop.window.findChildren(ClosingDialog)) == 1
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    await desktop.over()
    assert desktop.agreed == 0


async def test_keep_running_minimises_the_window_where_nothing_could_bring_it_back(
    desktop: Desktop, office: Office, shop: Shop
) -> None:
    job_id = await run_on(office, "grbl")
    dialog = await desktop.asked()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    await until(desktop.window.isMinimized)
    await until(lambda: shop.at["grbl"].cutting)
    shop.at["grbl"].end()
    await comes_to(office, job_id, JobState.COMPLETED)
    desktop.background.leave()
    assert desktop.window.isVisible()
    assert not desktop.window.isMinimized()
    assert desktop.agreed == 0


async def test_with_a_tray_the_window_is_hidden_and_its_icon_brings_it_back(
    desktop: Desktop, office: Office
) -> None:
    desktop.tray = True
    await run_on(office, "grbl")
    dialog = await desktop.asked()
    dialog.keep.click()
    await until(desktop.window.isHidden)
    (icon,) = desktop.background.findChildren(QSystemTrayIcon)
    assert icon.isVisible()
    icon.activated.emit(icon.ActivationReason.Trigger)
    assert desktop.window.isVisible()
    assert not icon.isVisible()
    desktop.background.enter()
    menu = icon.contextMenu()
    menu.actions()[1].trigger()
    await until(lambda: desktop.closing.dialog)
    assert desktop.window.isVisible(), "the question is asked where it can be seen"


async def test_abort_and_close_wants_to_be_held(desktop: Desktop, office: Office) -> None:
    await run_on(office, "grbl")
    dialog = await desktop.asked()
    assert dialog.abort.text() == "Abort 1 run and close: hold 2 s"
    dialog.abort.click()
    await office.door.ask(FloorNow())
    assert desktop.agreed == 0
    QTest.mousePress(dialog.abort, Qt.MouseButton.LeftButton)
    await until(lambda: desktop.agreed == 1)


async def test_what_goes_on_by_itself_needs_no_abort(desktop: Desktop, office: Office) -> None:
    await run_on(office, "linuxcnc")
    dialog = await desktop.asked()
    assert not dialog.abort.isVisible()
    assert dialog.close_all.text() == "Close: 1 run goes on without CNC Station"
    dialog.close_all.click()
    await until(lambda: desktop.agreed == 1)


async def test_the_question_follows_what_ends_meanwhile(
    desktop: Desktop, office: Office, shop: Shop, settling_buttons: float
) -> None:
    assert settling_buttons
    await run_on(office, "grbl")
    await until(lambda: shop.at["grbl"].cutting)
    dialog = await desktop.asked()
    shop.at["grbl"].end()
    await until(lambda: says(dialog) == [])
    assert dialog.about.text() == "Nothing runs any more."
    assert dialog.close_all.isVisible()
    assert not dialog.close_all.isEnabled(), "it stands where the abort was"
    await until(dialog.close_all.isEnabled)
    dialog.close_all.click()
    await until(lambda: desktop.agreed == 1)


async def test_the_station_ends_in_order_while_the_question_stands(
    desktop: Desktop, office: Office
) -> None:
    await run_on(office, "grbl")
    await desktop.asked()
    await office.context.operations.close()
    await until(lambda: desktop.closing.dialog is None)
    assert desktop.agreed == 0


# a second start


async def test_a_second_start_passes_its_files_on(config: Config) -> None:
    first, second = OneWindow(config), OneWindow(config)
    assert first.acquire()
    files = [Path("/nc/Flansch 1.nc"), Path("/nc/ø.tap")]
    asked = asyncio.create_task(asyncio.to_thread(second.bring_to_front, files))
    found: list[Path] = []

    async def shown() -> bool:
        found.extend(first.wanted() or ())
        return bool(found)

    await until(shown)
    assert found == files
    assert await asked
    first.release()


def test_a_second_start_asks_for_the_window_that_is_there(config: Config) -> None:
    first, second = OneWindow(config), OneWindow(config)
    assert first.acquire()
    assert not second.acquire()
    assert first.wanted() is None
    assert not second.bring_to_front(patience_s=0.01), "nobody looks"
    (lock,) = config.data_folder.glob("window-*.lock")
    lock.with_suffix(".show").touch()
    assert first.wanted() == []
    assert first.wanted() is None
    first.release()
    assert second.acquire()
    second.release()
