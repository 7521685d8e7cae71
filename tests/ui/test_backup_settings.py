"""Back-ups in the settings: a folder is chosen, one is made, what is kept and what is wrong."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QTime
from PySide6.QtWidgets import QWidget

from cnc_station.engine.queries import BackupsNow
from cnc_station.engine.views import Link, Remedy
from cnc_station.ui.link_text import link_name, link_status
from cnc_station.ui.needs import is_cut_off, link_needs, tone_of_need
from cnc_station.ui.pages.backups import size_text
from cnc_station.ui.pages.settings import SettingsPage
from cnc_station.ui.theme import Tone
from tests.ui.real_engine import Office, opened, settled
from tests.until import until


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[SettingsPage]:
    async with opened(office, SettingsPage(office.context)) as page:
        page.show_backups()
        await until(lambda: settled(page) and office.door.peek(BackupsNow()).clock)
        yield page


def shown(page: QWidget) -> bool:
    return page.isVisibleTo(page.window())


async def test_a_folder_is_chosen_and_a_back_up_made(
    office: Office, page: SettingsPage, tmp_path: Path
) -> None:
    part = page.backups
    assert part.folder.text() == "none: no daily back-ups are made"
    assert not part.now.isEnabled()
    part.set_plan(str(tmp_path / "missing"))
    await until(lambda: "is not there" in part.plan_fault.text())
    stick = tmp_path / "stick"
    stick.mkdir()
    part.ask_folder().filesSelected.emit([str(stick)])
    await until(lambda: len(part.kept.pairs()) == 1)
    await until(part.now.isEnabled)
    assert part.plan_fault.text() == ""
    assert part.folder.text() == str(stick)
    first = part.latest.pairs()["File"]
    part.now.click()
    await until(lambda: part.latest.pairs()["File"] != first)
    assert len(part.kept.pairs()) == 1  # of one day the newest stays
    await until(lambda: not shown(part.bar))
    part.clock.setTime(QTime(4, 30))
    part.clock.editingFinished.emit()
    await until(lambda: office.door.peek(BackupsNow()).clock == "04:30")
    part.stop.click()
    await until(lambda: not office.door.peek(BackupsNow()).folder)
    await until(lambda: not part.now.isEnabled())


async def test_a_failed_back_up_says_why_and_the_card_is_marked(
    office: Office, page: SettingsPage, tmp_path: Path
) -> None:
    part = page.backups
    stick = tmp_path / "stick"
    stick.mkdir()
    part.set_plan(str(stick))
    await until(part.now.isEnabled)
    for path in [*stick.iterdir()]:
        path.unlink()
    stick.rmdir()
    part.now.click()
    await until(lambda: "is not there" in part.fault.text())
    await until(lambda: any("is not there" in words for words in office.said.failed))


def test_an_overdue_back_up_needs_a_person_and_cuts_nothing_off() -> None:
    link = Link("backup", "degraded", 1, "the newest one is of Fri 02:00. /mnt is not there.")
    (item,) = link_needs([link])
    assert item.remedy is Remedy.BACK_UP
    assert item.text == "the newest one is of Fri 02:00. /mnt is not there"
    assert tone_of_need(item) is Tone.HELD
    assert not is_cut_off([link])
    assert link_name(link) == "Back-up"
    assert "back-up" in link_status(link, 2).words


@pytest.mark.parametrize(
    ("size", "words"), [(6_725, "0.0 MB"), (12_345_678, "12 MB"), (1_400_000_000, "1.4 GB")]
)
def test_sizes_are_short(size: int, words: str) -> None:
    assert size_text(size) == words
