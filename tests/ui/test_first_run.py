"""The first run: from an empty data folder to a finished program, and what Back keeps."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from serial.tools import list_ports

from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.drivers import finding
from cnc_station.engine.queries import ListJobs, ListMachines, StoredSettings
from cnc_station.engine.views import JobFilter
from cnc_station.ui.dialogs.job_form import JobForm
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.first_run.first_run import FIND, PROGRAM, QUESTION, FirstRun, welcome
from cnc_station.ui.first_run.fleet_form import FleetForm
from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell
from tests.drivers.grbl_bench import FAST, square
from tests.drivers.grbl_fake import FakeGrbl
from tests.drivers.grbl_wire import TcpWire
from tests.ui.real_engine import Office, mill, opened
from tests.until import until


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[SimpleNamespace]:
    """The serial ports of this PC, on which no LinuxCNC runs."""
    found: list[SimpleNamespace] = []
    monkeypatch.setattr(list_ports, "comports", lambda: found)
    monkeypatch.setattr(finding, "PROC", tmp_path / "proc")
    monkeypatch.setattr(finding, "LINUXCNC_PORT", 9)
    return found


@pytest_asyncio.fixture
async def window(office: Office) -> AsyncIterator[QWidget]:
    async with opened(office, QWidget()) as window:
        yield window


@pytest_asyncio.fixture
async def first(office: Office, window: QWidget) -> FirstRun:
    """The dialog of an empty shop."""
    dialog = await welcome(office.context, window)
    assert dialog is not None
    return dialog


async def test_a_shop_with_machines_is_not_asked(office: Office, window: QWidget) -> None:
    await office.door.execute(AddMachine(mill()))
    assert await welcome(office.context, window) is None


async def test_the_demo_day_is_one_tap_away_and_the_question_comes_again_after_it(
    office: Office, window: QWidget, first: FirstRun
) -> None:
    first.question.operator.setText("Ana")
    first.question.demo_choice.click()
    await until(lambda: office.went.to == [("demo", None)])
    assert await settings(office, "ui.operator") == "Ana"
    again = await welcome(office.context, window)
    assert again is not None
    again.close()


async def test_later_is_not_asked_twice_and_the_name_given_is_used_from_now_on(
    office: Office, window: QWidget, first: FirstRun
) -> None:
    first.question.operator.setText(" Ana ")
    first.later_button.click()
    assert office.door.operator == "Ana"
    await until(lambda: settings(office, "ui.welcomed"))
    assert await settings(office, "ui.operator") == "Ana"
    assert await welcome(office.context, window) is None


async def test_what_is_connected_is_listed_and_leads_to_its_machine(
    office: Office, first: FirstRun, ports: list[SimpleNamespace]
) -> None:
    ports.append(port("/dev/ttyUSB7", "USB Serial", "QinHeng"))
    first.question.own_choice.click()
    await until(lambda: first.finder.choices)
    (choice,) = first.finder.choices
    assert choice.text() == "USB Serial (QinHeng)"
    assert "GRBL / grblHAL · /dev/ttyUSB7" in choice.note
    choice.click()
    form = form_of(first)
    assert form.chosen_driver.name == "grbl"
    assert form.settings.values() == {"port": "/dev/ttyUSB7"}
    form.name.setText("Router 1")
    form.save_button.click()
    await until(lambda: first.step == PROGRAM)
    (machine,) = await office.door.ask(ListMachines())
    assert machine.spec.settings == {"port": "/dev/ttyUSB7"}


def port(device: str, product: str, maker: str) -> SimpleNamespace:
    return SimpleNamespace(
        device=device, vid=1, product=product, manufacturer=maker, description="n/a"
    )


def form_of(first: FirstRun) -> MachineForm:
    form = first.findChild(MachineForm)
    assert isinstance(form, MachineForm)
    return form


async def test_an_empty_pc_says_what_to_do_and_a_wrong_address_is_refused_at_its_field(
    first: FirstRun,
) -> None:
    first.question.own_choice.click()
    await until(lambda: "No controller was found" in first.finder.said.text())
    first.finder.address.setText("no such/place")
    first.finder.there.click()
    await until(lambda: "must be an address" in first.finder.field.error)


async def test_escape_goes_one_step_back_and_keeps_what_was_typed(first: FirstRun) -> None:
    first.question.operator.setText("Ana")
    first.question.own_choice.click()
    assert first.step == FIND
    first.finder.address.setText("192.168.5.1:23")
    first.finder.there.click()
    await until(lambda: first.finder.choices)
    first.finder.choices[0].click()
    QTest.keyClick(form_of(first), Qt.Key.Key_Escape)
    assert (first.step, first.isVisible()) == (FIND, True)
    QTest.keyClick(first, Qt.Key.Key_Escape)
    assert (first.step, first.isVisible()) == (QUESTION, True)
    assert first.question.operator.text() == "Ana"
    first.question.own_choice.click()
    assert first.finder.address.text() == "192.168.5.1:23"
    assert len(first.finder.choices) == 1
    first.later_button.click()


async def test_a_pc_alone_is_offered_a_fleet_and_comes_back_from_its_form(first: FirstRun) -> None:
    assert "stores everything in" in told(first)
    first.question.fleet_choice.click()
    form = first.findChild(FleetForm)
    assert isinstance(form, FleetForm)
    form.save_button.click()
    assert form.fields["database_url"].error == "is missing"
    QTest.keyClick(form, Qt.Key.Key_Escape)
    assert (first.step, first.isVisible()) == (QUESTION, True)
    first.later_button.click()


def told(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


async def settings(office: Office, key: str) -> object:
    return (await office.door.ask(StoredSettings())).get(key)


async def test_from_nothing_to_a_finished_program_on_a_grbl_by_keyboard(
    office: Office, tmp_path: Path
) -> None:
    wire = TcpWire(FakeGrbl(speed=FAST))
    await wire.put_back()
    shell = Shell(Frame())
    shell.window.show()
    door = office.engine.door(local_principal("tester"))
    shell.open(door, lambda: door.ask(ListMachines()))
    shell.welcome()
    await until(lambda: shell.window.findChild(FirstRun))
    first = shell.window.findChild(FirstRun)
    assert isinstance(first, FirstRun)
    press(first, Qt.Key.Key_Return)  # this PC alone: it has the focus
    await until(lambda: "No controller" in first.finder.said.text())
    QTest.keyClicks(first.finder.address, wire.port)
    QTest.keyClick(first.finder.address, Qt.Key.Key_Return)
    await until(lambda: first.finder.choices)
    QTest.keyClick(first.finder.choices[0], Qt.Key.Key_Return)
    form = form_of(first)
    form.test.button.click()
    await until(lambda: form.test.report is not None)
    assert "Grbl" in form.test.as_text()
    QTest.keyClicks(form.name, "Router 1")
    form.operator_starts.click()
    form.operator_clears.click()
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    await until(lambda: first.step == PROGRAM)
    program = tmp_path / "square.nc"
    program.write_bytes(square(2))
    drop(first.program, program)
    await until(lambda: shell.window.findChild(JobForm))
    job = shell.window.findChild(JobForm)
    assert isinstance(job, JobForm)
    await until(lambda: job.loaded)
    assert shell.window.current == "floor"
    QTest.keyClick(job, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: completed(office), timeout=60)
    await shell.close()
    await wire.pull_out()
    shell.window.finish()
    shell.window.deleteLater()


def press(dialog: QWidget, key: Qt.Key) -> None:
    """Where the keyboard is."""
    focus = dialog.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, key)


def drop(step: QWidget, file: Path) -> None:
    carried = QMimeData()
    carried.setUrls([QUrl.fromLocalFile(str(file))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, carried, left, none)
    step.dropEvent(event)


async def completed(office: Office) -> bool:
    """Whether the one job has been made."""
    done = JobFilter(states=frozenset({JobState.COMPLETED}))
    return bool((await office.door.ask(ListJobs(done, (), 0, 1))).rows)
