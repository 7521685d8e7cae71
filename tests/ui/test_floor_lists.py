from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from cnc_station.ui.floor.activity_row import RowText
from cnc_station.ui.floor.compact_list import CompactList
from cnc_station.ui.theme import Density, ThemeName, apply_theme
from tests.ui.tapping import TapClock
from tests.until import until


@pytest.fixture
def needs(qapp: QApplication) -> Iterator[CompactList]:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    shown = CompactList("Needs you", "Nothing needs you now.")
    shown.resize(284, 400)
    shown.show()
    yield shown
    shown.close()
    shown.deleteLater()


def row(title: str) -> RowText:
    return RowText(title, remedy="Cleared")


def can_be_pressed(needs: CompactList, key: str) -> bool:
    """Whether the remedy of an entry can be pressed."""
    remedy = needs.rows[key].remedy
    return remedy is not None and remedy.isEnabled()


def tap(needs: CompactList, key: str) -> None:
    remedy = needs.rows[key].remedy
    assert remedy is not None
    QTest.mouseClick(remedy, Qt.MouseButton.LeftButton)


async def test_a_tap_meant_for_the_row_that_was_here_a_moment_ago_does_nothing(
    needs: CompactList, tap_clock: TapClock
) -> None:
    done: list[str] = []
    needs.remedied.connect(done.append)
    needs.set_rows({"a": row("Mill 1: clear it")})
    tap(needs, "a")
    tap(needs, "a")
    assert done == ["a"]
    tap_clock.stop()
    needs.set_rows({"b": row("Mill 2: alarm"), "a": row("Mill 1: clear it")})
    await tap_clock.too_soon(lambda: tap(needs, "b"))
    assert not can_be_pressed(needs, "b")
    await until(lambda: can_be_pressed(needs, "b"))
    assert done == ["a"]
    tap(needs, "b")
    assert done == ["a", "b"]


async def test_rows_that_keep_their_place_stay_alive_when_one_below_goes(
    needs: CompactList, settling_buttons: float
) -> None:
    assert settling_buttons
    needs.set_rows({name: row(f"Mill {name}: clear it") for name in "abc"})
    needs.set_rows({name: row(f"Mill {name}: clear it") for name in "ac"})
    assert [can_be_pressed(needs, name) for name in "ac"] == [True, False]


async def test_a_row_under_the_finger_is_never_used_for_another_entry(needs: CompactList) -> None:
    done: list[str] = []
    needs.remedied.connect(done.append)
    needs.set_rows({"a": row("Mill 1: clear it")})
    pressed = needs.rows["a"].remedy
    assert pressed is not None
    QTest.mousePress(pressed, Qt.MouseButton.LeftButton)
    needs.set_rows({"b": row("Mill 2: alarm")})
    QTest.mouseRelease(pressed, Qt.MouseButton.LeftButton)
    assert done == []


async def test_only_whole_rows_are_shown(needs: CompactList) -> None:
    needs.set_rows({str(n): row(f"Mill {n}: clear it") for n in range(12)})
    shown = [r for r in needs.rows.values() if not r.isHidden()]
    assert 4 <= len(shown) < 12
    assert all(r.geometry().bottom() < needs.height() for r in shown)
