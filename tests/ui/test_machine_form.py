"""The form of a machine with a real controller: its driver's fields, and the connection test."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.queries import ListMachines
from cnc_station.engine.views import KEPT, Identity
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.pages.machines import MachinesPage
from cnc_station.ui.widgets.secret_field import SecretField
from tests.ui.controller_fleet import (
    GRBL,
    LINUXCNC,
    LINUXCNC_ANSWERS,
    MTCONNECT,
    NOT_HOMED,
    Scripted,
    Shop,
)
from tests.ui.real_engine import Office, opened
from tests.until import until


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop({"mill-4": Scripted(NOT_HOMED, LINUXCNC_ANSWERS)})
    made.register(monkeypatch)
    return made


@pytest_asyncio.fixture
async def page(shop: Shop, office: Office) -> AsyncIterator[MachinesPage]:  # noqa: ARG001 - its drivers are there before the engine starts
    async with opened(office, MachinesPage(office.context)) as page:
        yield page


def edit(form: MachineForm, name: str) -> QLineEdit:
    editor = form.settings.fields[f"settings.{name}"].editor
    assert isinstance(editor, QLineEdit)
    return editor


def choose(form: MachineForm, title: str) -> None:
    form.driver.setCurrentText(title)
    assert form.chosen_driver.title == title


def point_at(form: MachineForm, host: str) -> None:
    choose(form, LINUXCNC.title)
    edit(form, "host").setText(host)
    edit(form, "program_folder").setText("/srv/programs")


async def test_a_new_machine_moves_nothing_until_a_real_driver_is_chosen(
    page: MachinesPage,
) -> None:
    form = page.add()
    assert not form.chosen_driver.real
    assert not form.operator_starts.isChecked()
    choose(form, LINUXCNC.title)
    assert form.operator_starts.isChecked()
    assert form.operator_clears.isChecked()
    form.reject()


async def test_what_a_person_has_ticked_stays_when_the_driver_changes(page: MachinesPage) -> None:
    form = page.add()
    choose(form, LINUXCNC.title)
    form.operator_starts.click()
    choose(form, GRBL.title)
    assert not form.operator_starts.isChecked()
    assert form.operator_clears.isChecked()
    form.reject()


async def test_a_driver_that_only_watches_says_who_starts_the_machine(page: MachinesPage) -> None:
    form = page.add()
    choose(form, MTCONNECT.title)
    assert "at its panel" in form.driver.accessibleDescription()
    assert "at its panel" in form.operator_starts.accessibleDescription()
    form.reject()


async def test_each_driver_keeps_what_was_typed_for_it(page: MachinesPage) -> None:
    form = page.add()
    point_at(form, "mill-4")
    choose(form, GRBL.title)
    assert list(form.settings.fields) == [f"settings.{s.name}" for s in GRBL.settings]
    choose(form, LINUXCNC.title)
    assert edit(form, "host").text() == "mill-4"
    assert form.settings.values() == {"host": "mill-4", "program_folder": "/srv/programs"}
    form.reject()


async def test_a_wanted_setting_that_is_missing_is_said_next_to_it(page: MachinesPage) -> None:
    form = page.add()
    form.name.setText("Mill 1")
    choose(form, MTCONNECT.title)
    form.save_button.click()
    assert form.fields["settings.url"].error == "is missing"
    form.test.start()
    await until(form.test.button.isEnabled)
    assert form.fields["settings.url"].error == "is missing"
    assert form.test.report is None
    form.reject()


async def test_an_unchanged_form_stores_just_what_was_stored(
    office: Office, page: MachinesPage
) -> None:
    stored = {"host": "mill-1", "port": 5008, "program_folder": "/srv", "axis_names": ["X", "Z"]}
    spec = MachineSpec("Mill 1", "mill", driver=LINUXCNC.name, settings=stored)
    await office.door.execute(AddMachine(spec))
    await until(lambda: page.table.current)
    form = page.edit()
    assert form is not None
    stored_again: list[bool] = []
    form.accepted.connect(lambda: stored_again.append(True))
    form.save_button.click()
    await until(lambda: stored_again)
    (after,) = await office.door.ask(ListMachines())
    assert after.spec.settings == stored
    assert (after.spec.operator_starts, after.spec.operator_clears) == (False, False)


def secret(form: MachineForm) -> SecretField:
    editor = edit(form, "enable_password")
    assert isinstance(editor, SecretField)
    return editor


async def guarded(office: Office, page: MachinesPage) -> MachineForm:
    """The form of a machine whose password is kept."""
    stored = {"host": "mill-4", "program_folder": "/srv", "enable_password": "horse"}
    spec = MachineSpec("Mill 1", "mill", driver=LINUXCNC.name, settings=stored)
    await office.door.execute(AddMachine(spec))
    await until(lambda: page.table.current)
    form = page.edit()
    assert form is not None
    return form


async def test_a_password_is_shown_only_to_who_asks_for_it(page: MachinesPage) -> None:
    form = page.add()
    point_at(form, "mill-4")
    field = secret(form)
    field.clear()
    QTest.keyClicks(field, "horse")
    assert field.displayText() != "horse"
    field.show_button.click()
    assert field.displayText() == "horse"
    assert field.show_button.accessibleName() == "Hide Enable password"
    field.show_button.click()
    assert field.displayText() != "horse"
    assert field.show_button.height() == field.height()
    assert form.settings.values()["enable_password"] == "horse"
    form.reject()


async def test_a_kept_password_is_not_in_the_form_and_stays_until_another_is_typed(
    office: Office, page: MachinesPage
) -> None:
    form = await guarded(office, page)
    field = secret(form)
    assert field.text() == KEPT
    assert field.show_button.isHidden()
    assert form.settings.values()["enable_password"] == KEPT
    form.test.start()
    await until(lambda: form.test.report)
    assert "LinuxCNC 2.9.4" in form.test.as_text()
    field.setCursorPosition(3)
    QTest.keyClicks(field, "staple")
    assert field.text() == "staple"
    assert not field.show_button.isHidden()
    assert form.settings.values()["enable_password"] == "staple"
    form.reject()


async def test_one_key_that_deletes_takes_all_of_a_kept_password_away(
    office: Office, page: MachinesPage
) -> None:
    form = await guarded(office, page)
    QTest.keyClick(secret(form), Qt.Key.Key_Backspace)
    assert "enable_password" not in form.settings.values()
    form.reject()


async def test_the_connection_test_says_what_answered_and_keeps_nothing(
    office: Office, page: MachinesPage
) -> None:
    form = page.add()
    point_at(form, "mill-4")
    form.test.start()
    assert not form.test.button.isEnabled() or form.test.report is None
    await until(lambda: form.test.report)
    assert form.test.details.pairs() == dict(LINUXCNC_ANSWERS.details)
    said = form.test.as_text()
    assert "LinuxCNC 2.9.4" in said
    assert "Not ready" in said
    assert NOT_HOMED.why in said
    assert NOT_HOMED.remedy in said
    assert form.test.button.isEnabled()
    assert await office.door.ask(ListMachines()) == ()
    edit(form, "host").textEdited.emit("mill-5")
    assert form.test.report is None
    form.reject()


async def test_a_controller_that_does_not_answer_is_said_to_in_plain_words(
    shop: Shop, page: MachinesPage
) -> None:
    away = shop.at["mill-4"]
    away.answers = False
    form = page.add()
    point_at(form, "mill-4")
    form.test.start()
    await until(lambda: form.test.report)
    assert "No connection" in form.test.as_text()
    assert "does not answer" in form.test.as_text()
    form.reject()


async def test_a_form_that_is_closed_while_the_controller_is_asked_lets_go_of_it(
    shop: Shop, page: MachinesPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = shop.at["mill-4"]

    async def silent() -> Identity:
        asked.asked.append("connect")
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(asked, "connect", silent)
    form = page.add()
    point_at(form, "mill-4")
    form.test.start()
    await until(lambda: "connect" in asked.asked)
    form.reject()
    await until(lambda: asked.closed)


async def test_what_the_form_proposes_for_a_real_machine_is_stored(
    office: Office, page: MachinesPage
) -> None:
    form = page.add()
    form.name.setText("Mill 4")
    point_at(form, "mill-4")
    form.save_button.click()
    await until(lambda: page.rows.rows)
    (after,) = await office.door.ask(ListMachines())
    assert after.spec == MachineSpec(
        "Mill 4",
        "mill",
        driver=LINUXCNC.name,
        capability=Capability("mill"),
        operator_starts=True,
        operator_clears=True,
        settings={"host": "mill-4", "program_folder": "/srv/programs"},
    )
