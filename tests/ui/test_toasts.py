from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.toasts import Message, Toast, ToastShelf
from tests.until import until


def shelf_of(qtbot: QtBot, seconds: float = 60.0) -> ToastShelf:
    shelf = ToastShelf(seconds)
    qtbot.addWidget(shelf)
    shelf.resize(1200, shelf.height())
    shelf.show()
    return shelf


async def press(shelf: ToastShelf, name: str) -> None:
    found = next(
        button
        for button in shelf.findChildren(QPushButton)
        if name in {button.text(), button.accessibleName()} and not button.isHidden()
    )
    await until(found.isVisible)
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


async def test_a_toast_goes_by_itself(qtbot: QtBot) -> None:
    shelf = shelf_of(qtbot, seconds=0.05)
    shelf.say("Moved")
    assert shelf.messages() == ["Moved"]
    await until(lambda: shelf.messages() == [])


async def test_an_error_stays_until_it_is_closed_and_is_not_said_twice(qtbot: QtBot) -> None:
    shelf = shelf_of(qtbot, seconds=0.05)
    shelf.fail("Mill 3 does not answer")
    shelf.fail("Mill 3 does not answer")
    shelf.say("Moved")
    await until(lambda: shelf.messages() == ["Mill 3 does not answer"])
    await press(shelf, "Close")
    assert shelf.messages() == []


async def test_undo_undoes_once_and_ends_the_message(qtbot: QtBot) -> None:
    undone: list[str] = []
    shelf = shelf_of(qtbot)
    shelf.say("Cancelled Hinge set", lambda: undone.append("cancel"))
    await press(shelf, "Undo")
    assert (undone, shelf.messages()) == (["cancel"], [])


async def test_errors_are_never_pushed_away_by_what_comes_later(qtbot: QtBot) -> None:
    shelf = shelf_of(qtbot)
    for words in ("one", "two", "three"):
        shelf.fail(words)
    shelf.say("Moved")
    assert shelf.messages() == ["one", "two"]
    await press(shelf, "Close")
    assert shelf.messages() == ["two", "three"]


async def test_a_newer_message_takes_the_place_of_the_oldest_passing_one(qtbot: QtBot) -> None:
    shelf = shelf_of(qtbot)
    for words in ("one", "two", "three"):
        shelf.say(words)
    assert shelf.messages() == ["two", "three"]


async def test_the_shelf_never_grows_with_what_it_says(qtbot: QtBot) -> None:
    shelf = shelf_of(qtbot)
    height = shelf.height()
    shelf.fail("a sentence that goes on " * 20)
    assert shelf.height() == height
    assert shelf.minimumSizeHint().height() <= height


async def test_the_systems_words_are_one_tap_behind_the_sentence(qtbot: QtBot) -> None:
    shelf = shelf_of(qtbot)
    shelf.fail("Mill 1: 192.0.2.5 port 5007 does not answer", "[Errno 111] Connect call failed")
    (toast,) = shelf.findChildren(Toast)
    assert toast.words.text() == "Mill 1: 192.0.2.5 port 5007 does not answer"
    toast.details.click()
    assert toast.words.text() == "[Errno 111] Connect call failed"
    assert shelf.messages() == ["Mill 1: 192.0.2.5 port 5007 does not answer"]


async def test_an_alert_stays_until_it_is_withdrawn_and_is_there_once(qtbot: QtBot) -> None:
    seen: list[str] = []
    shelf = shelf_of(qtbot, seconds=0.05)
    alarm = Message(
        "Mill 1 is in alarm.",
        Tone.ALARM,
        stays=True,
        action=("Acknowledge", lambda: seen.append("1")),
        key=1,
    )
    shelf.alert(alarm)
    shelf.alert(replace(alarm, words="Mill 1 has been in alarm for 1 min."))
    shelf.say("Moved")
    await until(lambda: shelf.messages() == ["Mill 1 has been in alarm for 1 min."])
    shelf.withdraw(1)
    assert shelf.messages() == []
    await until(lambda: not shelf.findChildren(Toast))
    shelf.alert(alarm)
    await press(shelf, "Acknowledge")
    assert (seen, shelf.messages()) == (["1"], [])


async def test_an_alert_that_is_over_before_its_turn_is_never_shown(qtbot: QtBot) -> None:
    shelf = shelf_of(qtbot)
    for words in ("one", "two"):
        shelf.fail(words)
    shelf.alert(Message("three", key=3))
    shelf.withdraw(3)
    await press(shelf, "Close")
    assert shelf.messages() == ["two"]
