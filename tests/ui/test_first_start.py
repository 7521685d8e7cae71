from collections.abc import AsyncIterator

import pytest_asyncio
from PySide6.QtWidgets import QLabel, QWidget

from cnc_station.engine.commands import AddMachine
from cnc_station.engine.queries import ListMachines, StoredSettings
from cnc_station.ui.dialogs.first_start import FirstStart, welcome
from cnc_station.ui.dialogs.machine_form import MachineForm
from tests.ui.real_engine import Office, mill, opened
from tests.until import until


@pytest_asyncio.fixture
async def window(office: Office) -> AsyncIterator[QWidget]:
    async with opened(office, QWidget()) as window:
        yield window


async def test_a_shop_with_machines_is_not_asked(office: Office, window: QWidget) -> None:
    await office.door.execute(AddMachine(mill()))
    assert await welcome(office.context, window) is None


async def test_the_demo_day_is_one_tap_away_and_nobody_is_asked_twice(
    office: Office, window: QWidget
) -> None:
    dialog = await welcome(office.context, window)
    assert dialog is not None
    dialog.demo.click()
    assert office.went.to == [("demo", None)]
    await until(lambda: settings(office, "ui.welcomed"))
    assert await welcome(office.context, window) is None


async def test_the_name_given_acts_from_now_on_and_after_the_next_start(
    office: Office, window: QWidget
) -> None:
    dialog = await welcome(office.context, window)
    assert dialog is not None
    dialog.operator.setText(" Ana ")
    dialog.own.click()
    assert office.door.operator == "Ana"
    await until(lambda: settings(office, "ui.operator"))
    assert await settings(office, "ui.operator") == "Ana"


async def test_ones_own_machines_begin_with_the_form_of_the_first(
    office: Office, window: QWidget
) -> None:
    dialog = await welcome(office.context, window)
    assert dialog is not None
    dialog.own.click()
    assert office.went.to == [("page", "machines")]
    form = window.findChild(MachineForm)
    assert isinstance(form, MachineForm)
    form.name.setText("Mill 1")
    form.save_button.click()
    await until(lambda: office.door.ask(ListMachines()))


async def test_a_pc_alone_is_told_how_to_join_a_fleet(office: Office, window: QWidget) -> None:
    dialog = await welcome(office.context, window)
    assert dialog is not None
    assert "works alone" in told(dialog)
    dialog.fleet.click()
    assert office.went.to == [("page", "stations")]


def told(dialog: FirstStart) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


async def settings(office: Office, key: str) -> object:
    return (await office.door.ask(StoredSettings())).get(key)
