"""Alerts in the window: the bell, banners, the list, the desktop and sounds, with a real engine."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from cnc_station.engine.commands import AddMachine, CreateAlertRule, SaveSettings
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alert_rules import AlertRule, Channel
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.queries import ListAlerts, StoredSettings
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.ui.background import Background
from cnc_station.ui.frame import Frame
from cnc_station.ui.pages.floor import FloorPage
from cnc_station.ui.pages.machines import MachinesPage
from cnc_station.ui.shell import Shell
from cnc_station.ui.widgets.literal import message_text
from tests.ui.fake_players import FakePlayers
from tests.ui.real_engine import Office, mill
from tests.until import until

ANNA = local_principal("Anna")
WHY = "spindle drive <b>fault</b>"


class Desk(QObject):
    """A desktop that notes its messages."""

    message_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.can_tell = True
        self.told: list[tuple[str, str, bool]] = []

    def tell(self, title: str, text: str, *, critical: bool) -> bool:
        if self.can_tell:
            self.told.append((title, text, critical))
        return self.can_tell


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest_asyncio.fixture
async def shell(office: Office, desk: Desk) -> AsyncIterator[Shell]:
    shell = Shell(Frame(), desk)
    shell.window.show()
    shell.open(office.engine.door(ANNA), lambda: office.door.execute(SaveSettings({})))
    shell.to_page("jobs")
    yield shell
    await shell.close()
    shell.window.finish()
    shell.window.deleteLater()


async def alarmed(office: Office, name: str = "Mill 1") -> int:
    machine = await office.door.execute(AddMachine(mill(name)))
    await office.write(MoveMachine((t.ALARMED,), machine, "controller", WHY))
    return machine


async def unlock(office: Office, machine: int) -> None:
    await office.write(MoveMachine((t.UNLOCKED,), machine, "Ben", ""))


async def rule(office: Office, channel: Channel, **values: object) -> int:
    kinds = (AlertKind.MACHINE_ALARM,)
    made = AlertRule(f"Alarms by {channel}", channel, kinds, **values)  # type: ignore[arg-type]
    return await office.door.execute(CreateAlertRule(made))


def banners(shell: Shell) -> list[str]:
    return shell.window.toasts.messages()


def press(shell: Shell, name: str) -> None:
    buttons = shell.window.findChildren(QPushButton)
    found = next(b for b in buttons if b.text() == name and b.isVisible())
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


async def test_an_alarm_is_counted_and_stays_in_a_banner_until_somebody_acknowledges_it(
    office: Office, shell: Shell
) -> None:
    bell = shell.window.top_bar.bell
    assert bell.count == 0
    shell.window.focus_search()
    machine = await alarmed(office)
    await until(lambda: banners(shell) == [f"Mill 1 is in alarm: {WHY}."])
    assert (bell.count, bell.accessibleName()) == (1, "1 alert: Mill 1: alarm")
    assert shell.window.top_bar.search.hasFocus()
    await alarmed(office, "Mill 2")
    await until(lambda: banners(shell) == [f"Mill 1 is in alarm: {WHY}. 1 more critical."])
    press(shell, "Acknowledge")
    await until(lambda: f"Mill 2 is in alarm: {WHY}." in banners(shell))
    await until(lambda: bell.count == 1)
    assert f"Mill 2 is in alarm: {WHY}." in banners(shell)
    rows = (await office.door.ask(ListAlerts())).rows
    first = next(row for row in rows if row.machine_id == machine)
    assert (first.acknowledged_by, first.ended_at) == ("Anna", None)
    shell.to_page("floor")
    floor = shell.window.page("floor")
    assert isinstance(floor, FloorPage)
    await until(
        lambda: "seen by Anna" in str([r.words.note for r in floor.side.needs.rows.values()])
    )


async def test_a_banner_is_withdrawn_when_the_alarm_is_over(office: Office, shell: Shell) -> None:
    machine = await alarmed(office)
    await until(lambda: banners(shell))
    await unlock(office, machine)
    await until(lambda: not banners(shell))
    assert shell.window.top_bar.bell.count == 0


async def test_a_rule_may_tell_the_end_as_well(office: Office, shell: Shell) -> None:
    await rule(office, Channel.WINDOW, tells_end=True)
    machine = await alarmed(office)
    await until(lambda: banners(shell))
    await unlock(office, machine)
    await until(lambda: [words[:20] for words in banners(shell)] == ["Over: Mill 1: alarm "])


async def test_no_row_of_the_list_moves_while_it_is_open(office: Office, shell: Shell) -> None:
    first = await alarmed(office)
    await until(lambda: shell.window.top_bar.bell.count == 1)
    shell.window.top_bar.bell.click()
    panel = shell.alert_panel
    (line,) = panel.lines
    place = line.pos()
    await alarmed(office, "Mill 2")
    await until(panel.more.isVisible)
    assert panel.more.text() == "Show 1 new alert"
    await unlock(office, first)
    await until(lambda: "over" in line.words.note)
    assert (panel.lines, line.pos()) == ([line], place)
    press(shell, "Show 1 new alert")
    await until(lambda: [one.words.title for one in panel.lines][:1] == ["Mill 2: alarm"])
    await until(lambda: [one.words.title for one in panel.lines][1:] == ["Mill 1: alarm"])


async def test_a_row_is_acknowledged_by_one_tap_and_leads_to_its_machine(
    office: Office, shell: Shell
) -> None:
    machine = await alarmed(office)
    await until(lambda: shell.window.top_bar.bell.count == 1)
    shell.window.top_bar.bell.click()
    (line,) = shell.alert_panel.lines
    assert line.remedy is not None
    QTest.mouseClick(line.remedy, Qt.MouseButton.LeftButton)
    await until(lambda: "seen by Anna" in line.words.note)
    assert not line.words.remedy
    assert shell.window.top_bar.bell.count == 0
    QTest.mouseClick(line, Qt.MouseButton.LeftButton)
    page = shell.window.page("machines")
    assert isinstance(page, MachinesPage)
    await until(lambda: page.detail.shown is not None and page.detail.shown.id == machine)
    assert shell.alert_panel.isHidden()


async def test_the_list_closes_with_esc_and_at_a_tap_beside_it(shell: Shell) -> None:
    shell.window.top_bar.bell.click()
    assert shell.alert_panel.isVisible()
    shell.window.back()
    assert (shell.alert_panel.isHidden(), shell.window.current) == (True, "jobs")
    shell.window.top_bar.bell.click()
    QTest.mouseClick(shell.alert_panel, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    assert shell.alert_panel.isHidden()


async def test_a_message_on_the_desktop_leads_to_the_machine(
    office: Office, shell: Shell, desk: Desk
) -> None:
    await rule(office, Channel.DESKTOP)
    await alarmed(office)
    await until(lambda: desk.told == [("Mill 1: alarm", f"Mill 1 is in alarm: {WHY}.", True)])
    desk.message_clicked.emit()
    assert shell.window.current == "machines"


async def test_a_switched_off_desktop_hears_nothing(
    office: Office, shell: Shell, desk: Desk
) -> None:
    shell.alerts.use(replace(shell.alerts.settings, desktop=False))
    await rule(office, Channel.DESKTOP)
    await alarmed(office)
    await until(lambda: banners(shell))
    assert not desk.told


def test_a_desktop_without_a_tray_is_left_alone() -> None:
    frame = Frame()
    background = Background(frame.window, has_tray=lambda: False)
    assert not background.can_tell
    assert not background.tell("Mill 1: alarm", "text", critical=True)
    frame.window.deleteLater()


def test_the_desktop_gets_no_markup() -> None:
    assert message_text("<b>a</b> &lt;\n\u202e") == ("\u2039b\u203aa\u2039/b\u203a +lt; [U+202E]")


async def test_one_alarm_is_heard_once_with_the_sound_of_its_severity(
    office: Office, shell: Shell, players: FakePlayers
) -> None:
    players.add("aplay")
    await alarmed(office)
    await until(lambda: [Path(line).name for line in players.played()] == ["critical.wav"])
    await until(lambda: banners(shell))
    assert len(players.played()) == 1


async def test_a_muted_station_plays_nothing_and_shows_it(
    office: Office, shell: Shell, players: FakePlayers
) -> None:
    players.add("aplay")
    shell.alerts.mute()
    heard: list[str] = []
    shell.alerts.outcome.connect(lambda sent, why: heard.append(f"{sent.channel}: {why}"))
    await alarmed(office)
    await until(lambda: any(words.startswith("sound: Sounds are muted until") for words in heard))
    assert not players.played()
    assert shell.window.top_bar.bell.muted
    shell.alerts.mute(on=False)
    shell.alerts.test(Channel.SOUND, Severity.INFO)
    await until(lambda: [Path(line).name for line in players.played()] == ["info.wav"])


async def test_a_broken_player_is_reported_once_and_stops_nothing(
    office: Office, shell: Shell, players: FakePlayers
) -> None:
    players.add("aplay", "echo 'no such device' >&2; exit 1")
    for _ in range(2):
        shell.alerts.test(Channel.SOUND, Severity.WARNING)
        await until(lambda: banners(shell) == ["No sound: aplay: no such device"])
    await alarmed(office)
    await until(lambda: len(banners(shell)) == 2)


async def test_the_way_to_tell_alerts_is_kept_for_each_station(
    office: Office, shell: Shell
) -> None:
    shell.alerts.mute()
    until_ms = shell.alerts.settings.muted_until

    async def kept() -> bool:
        stored = await office.door.ask(StoredSettings())
        return bool(stored.get("alerts.station.A", {}).get("muted_until") == until_ms)

    await until(kept)
    again = Shell(Frame())
    again.open(office.engine.door(ANNA), lambda: office.door.execute(SaveSettings({})))
    try:
        await until(lambda: again.alerts.settings.muted_until == until_ms)
    finally:
        await again.close()
        again.window.finish()
        again.window.deleteLater()
