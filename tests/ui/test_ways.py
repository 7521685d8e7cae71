"""The whole window: what is searched for on a page does not hide what another sends one to."""

from collections.abc import AsyncIterator

import pytest_asyncio

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SaveSettings
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import LIVE_JOBS
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.views import JobFilter
from cnc_station.ui.frame import Frame
from cnc_station.ui.pages.machines import MachinesPage
from cnc_station.ui.shell import Shell
from tests.ui.real_engine import mill
from tests.until import until


@pytest_asyncio.fixture
async def shell(config: Config) -> AsyncIterator[Shell]:
    shell, engine = Shell(Frame()), StationEngine(config)
    await engine.start()
    shell.window.show()
    shell.open(
        engine.door(local_principal("tester")),
        lambda: engine.local_door.execute(SaveSettings({})),
    )
    yield shell
    await shell.close()
    await engine.stop()
    shell.window.finish()
    shell.window.deleteLater()


async def test_a_machine_that_was_tapped_is_shown_whatever_was_searched_for(shell: Shell) -> None:
    door = shell.context.door
    await door.execute(AddMachine(mill("Lathe 1")))
    wanted = await door.execute(AddMachine(mill("Mill 2")))
    shell.to_page("machines")
    page, field = shell.window.page("machines"), shell.window.top_bar.search
    assert isinstance(page, MachinesPage)
    field.setText("lathe")
    await until(lambda: [row.spec.name for row in page.rows.rows] == ["Lathe 1"])
    shell.to_page("floor")
    shell.to_machine(wanted)
    await until(lambda: page.detail.shown is not None and page.detail.shown.id == wanted)
    assert not field.text()


async def test_the_search_field_says_what_the_jobs_are_searched_for(shell: Shell) -> None:
    field = shell.window.top_bar.search
    shell.to_page("jobs")
    field.setText("bracket")
    shell.to_page("floor")
    shell.to_jobs(JobFilter(states=LIVE_JOBS))
    assert not field.text()
    shell.to_jobs(JobFilter(text="flange"))
    assert field.text() == "flange"
