"""A time on this PC's clock, on the days when that clock changes."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from PySide6.QtCore import QDate, QDateTime, Qt, QTime
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDateTimeEdit

from cnc_station.ui.dialogs.when import WhenDialog
from cnc_station.ui.widgets.job_editors import DueField
from cnc_station.ui.widgets.local_time import LocalTimeEdit, clock_change

SPRING, AUTUMN = QDate(2027, 3, 28), QDate(2027, 10, 31)
SKIPS = "The clock goes forward: there is no time between 02:00 and 03:00."
TWICE = "The clock goes back: 02:00 to 03:00 comes twice, and the first is meant."


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def ms(at: QDateTime) -> int:
    return at.toMSecsSinceEpoch()


def test_a_change_of_the_clock_is_found_on_its_day_alone() -> None:
    for day, words in ((SPRING, False), (AUTUMN, True)):
        for hour in (0, 12, 23):
            change = clock_change(ms(QDateTime(day, QTime(hour, 30))))
            assert change is not None
            assert (change.start.hour, change.end.hour, change.repeated) == (2, 3, words)
        assert clock_change(ms(QDateTime(day.addDays(1), QTime(0, 30)))) is None


async def test_a_time_that_the_clock_skips_is_not_taken_without_a_word() -> None:
    edit = LocalTimeEdit()
    edit.setDateTime(QDateTime(SPRING, QTime(1, 30)))
    assert edit.note.text() == SKIPS
    edit.show()
    edit.setSelectedSection(QDateTimeEdit.Section.HourSection)
    QTest.keyClicks(edit, "02")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert edit.text().endswith("03:30")
    assert edit.accessibleDescription() == SKIPS
    edit.setDateTime(QDateTime(SPRING.addDays(1), QTime(2, 30)))
    assert edit.note.text() == ""
    edit.close()
    edit.deleteLater()


async def test_the_forms_say_it_under_their_editors() -> None:
    due = DueField(ms(QDateTime(AUTUMN, QTime(8, 0))))
    due.show()
    assert due.edit.note.isVisibleTo(due)
    assert due.edit.note.text() == TWICE
    due.set_value(ms(QDateTime(AUTUMN.addDays(3), QTime(8, 0))))
    assert not due.edit.note.isVisibleTo(due)
    dialog = WhenDialog("Delay until", datetime(2027, 3, 28, 0, 10), None)  # noqa: DTZ001 - local
    dialog.show()
    assert dialog.edit.note.isVisibleTo(dialog)
    for widget in (due, dialog):
        widget.close()
        widget.deleteLater()
