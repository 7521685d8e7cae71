from dataclasses import replace

import pytest
from PySide6.QtWidgets import QWidget

from cnc_station.config import Config
from cnc_station.ui.first_run.first_run import welcome
from tests.ui.real_engine import Office, opened
from tests.ui.test_first_run import told


@pytest.fixture
def config(config: Config, shop_url: str) -> Config:
    return replace(config, database_url=shop_url)


async def test_a_station_of_a_fleet_is_told_so_and_where_its_shop_keeps_everything(
    office: Office,
) -> None:
    async with opened(office, QWidget()) as window:
        dialog = await welcome(office.context, window)
        assert dialog is not None
        assert "the station A of a fleet" in told(dialog)
        assert "cnc:***@127.0.0.1" in told(dialog)
        assert not dialog.question.fleet_choice.isVisible()
        dialog.close()
