"""The notifications in the settings: rules in words, their form and their tests, this station."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from PySide6.QtCore import QTime

from cnc_station.engine.domain.alert_rules import AlertRule, Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.engine.queries import ListAlertRules
from cnc_station.ui.pages.alert_rules import RuleLine
from cnc_station.ui.pages.settings import SettingsPage
from tests.ui.fake_players import FakePlayers
from tests.ui.real_engine import Office, opened, settled
from tests.until import until


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[SettingsPage]:
    office.context.alerts.start()
    async with opened(office, SettingsPage(office.context)) as page:
        page.show_notifications()
        await until(lambda: settled(page) and page.notifications.rules.lines)
        yield page


async def rules(office: Office) -> dict[str, AlertRule]:
    return {row.rule.name: row.rule for row in await office.door.ask(ListAlertRules())}


def line_of(page: SettingsPage, name: str) -> RuleLine:
    lines = page.notifications.rules.lines.values()
    return next(line for line in lines if line.row.rule.name == name)


async def test_a_rule_is_added_with_the_form_and_reads_in_words(
    office: Office, page: SettingsPage
) -> None:
    form = page.notifications.rules.add()
    form.name.setText("Night shift")
    form.kinds[AlertKind.MACHINE_WAITING].click()
    form.channel.setCurrentIndex(form.channel.findData(Channel.SOUND))
    form.after.setText("10")
    form.repeat.setText("x")
    assert form.fields["repeat_s"].error
    form.repeat.setText("15:00")
    assert not form.fields["repeat_s"].error
    form.quiet.on.click()
    form.quiet.start.setTime(QTime(20, 0))
    form.quiet.zone.setEditText("Europe/Nowhere")
    form.save()
    await until(lambda: form.fields["quiet"].error)
    form.quiet.zone.setEditText("Europe/Berlin")
    said = form.words.text()
    assert said.startswith("When a machine waits for a person for 10 min: sound at the stations")
    form.save()
    await until(lambda: any(line.words.text() == said for line in _lines(page)))
    assert (await rules(office))["Night shift"] == AlertRule(
        "Night shift",
        Channel.SOUND,
        (AlertKind.MACHINE_WAITING,),
        after_s=600.0,
        repeat_s=900.0,
        quiet=QuietHours(20 * 60, 6 * 60, "Europe/Berlin"),
    )


def _lines(page: SettingsPage) -> list[RuleLine]:
    return list(page.notifications.rules.lines.values())


async def test_a_rule_is_switched_off_edited_and_removed_with_undo(
    office: Office, page: SettingsPage
) -> None:
    name = _lines(page)[0].row.rule.name
    line_of(page, name).enabled.click()
    await until(lambda: not line_of(page, name).row.rule.enabled)
    form = page.notifications.rules.open_form(line_of(page, name))
    form.severity.setCurrentIndex(form.severity.findData(Severity.CRITICAL))
    form.save()
    await until(lambda: line_of(page, name).row.rule.least_severity is Severity.CRITICAL)
    before = (await rules(office))[name]
    assert not before.enabled
    line_of(page, name).remove.click()
    await until(lambda: name not in [line.row.rule.name for line in _lines(page)])
    assert office.said.undo is not None
    office.said.undo()
    await until(lambda: name in [line.row.rule.name for line in _lines(page)])
    assert (await rules(office))[name] == before


async def test_a_test_of_a_rule_tells_what_came_of_it(office: Office, page: SettingsPage) -> None:
    by_window = next(one for one in _lines(page) if one.row.rule.channel is Channel.WINDOW)
    by_window.test.click()
    await until(lambda: by_window.outcome.text() == "Test: told at this station.")
    assert [message.words[:13] for message in office.said.banners.values()] == ["Test of an al"]
    by_sound = next(one for one in _lines(page) if one.row.rule.channel is Channel.SOUND)
    by_sound.test.click()
    await until(lambda: by_sound.outcome.text() == "This computer has no sound player.")


async def test_this_station_says_what_it_cannot_do(page: SettingsPage) -> None:
    card = page.notifications.station
    assert card.desktop_note.text().startswith("This desktop has no tray")
    assert card.sound_note.text().startswith("This computer has no sound player")
    card.tests[Channel.DESKTOP, Severity.WARNING].click()
    assert card.outcomes[Channel.DESKTOP].text() == "This desktop has no tray."


async def test_a_sound_of_ones_own_is_played_by_the_chosen_player(
    office: Office, page: SettingsPage, players: FakePlayers, tmp_path: Path
) -> None:
    players.add("pw-play")
    players.add("aplay")
    card = page.notifications.station
    card.show_settings()
    own = tmp_path / "horn.wav"
    own.write_bytes(b"RIFF")
    office.context.alerts.use(
        office.context.alerts.settings.with_sound(Severity.CRITICAL, str(own))
    )
    assert card.files[Severity.CRITICAL].text() == "horn.wav"
    card.player.setCurrentIndex(card.player.findData("aplay"))
    card.player.activated.emit(card.player.currentIndex())
    card.device.setText("hall")
    card.device.editingFinished.emit()
    card.tests[Channel.SOUND, Severity.CRITICAL].click()
    await until(lambda: card.outcomes[Channel.SOUND].text() == "Played.")
    assert players.played() == [f"aplay --device=hall {own}"]
    card.usual[Severity.CRITICAL].click()
    assert card.files[Severity.CRITICAL].text() == "usual"
