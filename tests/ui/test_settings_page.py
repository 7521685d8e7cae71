from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.queries import AboutStation, StoredSettings
from cnc_station.ui.pages.settings import SettingsPage
from cnc_station.ui.theme import Density, ThemeName, apply_theme, theme
from tests.ui.real_engine import Office, opened, settled
from tests.until import until


@pytest.fixture(autouse=True)
def dressed_as_before(qapp: QApplication) -> Iterator[None]:
    before = theme().name, theme().density
    yield
    apply_theme(qapp, *before)


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[SettingsPage]:
    async with opened(office, SettingsPage(office.context)) as page:
        await until(lambda: settled(page))
        yield page


async def kept(office: Office, key: str) -> object:
    return (await office.door.ask(StoredSettings())).get(key)


async def test_a_theme_is_put_on_at_once_and_kept(office: Office, page: SettingsPage) -> None:
    page.themes[ThemeName.DARK].click()
    assert theme().name is ThemeName.DARK
    await until(lambda: page.appearance.note.text().startswith("Saved "))
    assert await kept(office, "ui.theme") == "dark"
    page.densities[Density.TOUCH].click()
    assert theme().metrics.touch

    async def both() -> bool:
        found = await office.door.ask(StoredSettings())
        return (found["ui.theme"], found["ui.density"]) == ("dark", "touch")

    await until(both)


async def test_the_keyboard_chooses_a_theme_too(page: SettingsPage) -> None:
    page.themes[ThemeName.DARK].setFocus()
    QTest.keyClick(page.themes[ThemeName.DARK], Qt.Key.Key_Space)
    assert theme().name is ThemeName.DARK
    QTest.keyClick(page.themes[ThemeName.DARK], Qt.Key.Key_Right)
    assert page.themes[ThemeName.HIGH_CONTRAST].hasFocus()
    QTest.keyClick(page.themes[ThemeName.HIGH_CONTRAST], Qt.Key.Key_Space)
    assert theme().name is ThemeName.HIGH_CONTRAST
    await until(lambda: page.appearance.note.text().startswith("Saved "))


async def test_the_operator_at_the_window_is_who_acts_from_now_on(
    office: Office, page: SettingsPage
) -> None:
    page.operator.setText(" Ana ")
    page.operator.editingFinished.emit()
    assert office.door.operator == "Ana"
    await until(lambda: kept(office, "ui.operator"))
    assert await kept(office, "ui.operator") == "Ana"


async def test_nobody_acts_without_a_name(office: Office, page: SettingsPage) -> None:
    page.operator.setText("  ")
    page.operator.editingFinished.emit()
    assert page.operator_field.error
    assert office.door.operator == "tester"


async def test_a_name_that_misleads_is_refused_with_the_character(
    office: Office, page: SettingsPage
) -> None:
    page.operator.setText("Ana\u202e")
    page.operator.editingFinished.emit()
    assert page.operator_field.error == "has a right-to-left override (U+202E) at character 4"
    assert office.door.operator == "tester"


async def test_the_target_of_the_floor_is_kept_and_none_again_at_zero(
    office: Office, page: SettingsPage
) -> None:
    page.target.setFocus()
    page.target.selectAll()
    QTest.keyClicks(page.target, "12")
    QTest.keyClick(page.target, Qt.Key.Key_Return)
    await until(lambda: kept(office, "floor.target_per_hour"))
    assert await kept(office, "floor.target_per_hour") == 12
    page.target.setValue(0)

    async def none() -> bool:
        return await kept(office, "floor.target_per_hour") is None

    await until(none)


async def test_what_is_not_kept_is_not_called_saved(
    office: Office, page: SettingsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(office.door, "execute", full)
    page.target.setValue(7)
    await until(lambda: office.said.failed == ["The disk is full."])
    assert page.window_card.note.text() == "Not saved"


async def test_the_page_tells_where_the_data_lies_and_how_fast_machines_run(
    office: Office, page: SettingsPage
) -> None:
    path = office.door.peek(AboutStation()).database
    facts = page.station.pairs()
    assert facts["Stored in"] == path
    assert facts["Simulated machines"] == "1000 times as fast as the clock"
    assert facts["Database"].startswith("standalone since ")
    (copy,) = (b for b in page.findChildren(QPushButton) if b.text().startswith("Copy"))
    copy.click()
    assert QGuiApplication.clipboard().text() == path


async def test_the_licences_of_what_is_bundled_can_be_read(page: SettingsPage) -> None:
    dialog = page.show_licences()
    for number in range(dialog.which.count()):
        dialog.which.setCurrentIndex(number)
        dialog.text.go_to(1)
        if dialog.which.currentText() == "Inter · OFL-1.1":
            assert "Inter" in dialog.text.selected()
            break
    else:
        raise AssertionError("the font is missing")
    dialog.accept()
