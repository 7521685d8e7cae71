"""Joining a fleet at the window: errors stand at their fields, and it starts again when it has."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cnc_station import addresses
from cnc_station.config import Config
from cnc_station.ui.first_run.fleet_form import FleetForm
from cnc_station.ui.pages.stations import StationsPage
from tests.ui.real_engine import Office, opened
from tests.until import until


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    return replace(config, settings_file=tmp_path / "cnc-station.toml")


@pytest_asyncio.fixture
async def form(office: Office) -> AsyncIterator[FleetForm]:
    """From the page of a PC that works alone."""
    async with opened(office, StationsPage(office.context)) as page:
        yield page.join_a_fleet()


def fill(form: FleetForm, database: str, redis: str, password: str = "") -> None:
    texts = {
        "database_url": addresses.without_password(database),
        "database_password": password or str(addresses.password(database)),
        "redis_url": addresses.without_password(redis),
        "redis_password": str(addresses.password(redis)),
    }
    for name, text in texts.items():
        form.fields[name].set_value(text)


async def test_what_both_servers_answer_is_shown_and_forgotten_with_the_next_edit(
    form: FleetForm, config: Config, shop_url: str, redis_url: str
) -> None:
    assert form.fields["station"].value == config.station
    assert form.focusWidget() is form.fields["database_url"].editor
    fill(form, shop_url, redis_url)
    form.test_button.click()
    await until(lambda: "its schema fits. Redis" in form.answered.text())
    QTest.keyClicks(form.fields["database_password"].editor, "x")
    assert not form.answered.text()
    assert config.settings_file is not None
    assert not config.settings_file.exists()
    form.reject()


async def test_a_wrong_password_is_said_at_its_field_and_the_right_one_joins(
    office: Office, form: FleetForm, config: Config, shop_url: str, redis_url: str
) -> None:
    fill(form, shop_url, redis_url, "guessed")
    QTest.keyClick(form.fields["station"].editor, Qt.Key.Key_Return)
    await until(lambda: "refuses it" in form.fields["database_password"].error)
    assert form.isVisible()
    assert config.settings_file is not None
    assert not config.settings_file.exists()
    fill(form, shop_url, redis_url)
    form.save_button.click()
    await until(lambda: office.went.to == [("shop", None)])
    assert "database_url" in config.settings_file.read_text()
    assert office.said.done == ["This station has joined the fleet"]


async def test_a_window_that_closes_while_both_are_asked_asks_no_more(
    office: Office, form: FleetForm, shop_url: str, redis_url: str
) -> None:
    fill(form, shop_url, redis_url)
    form.test_button.click()
    form.reject()
    await until(lambda: office.context.operations.idle)
    assert office.said.failed == []
