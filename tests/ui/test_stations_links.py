"""What the top bar says about the database and Redis, as they go and come back."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import update

from cnc_station.config import Config
from cnc_station.engine.commands import SaveSettings
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.schema import station
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Link
from cnc_station.ui.first_run.fleet_form import FleetForm
from cnc_station.ui.frame import Frame
from cnc_station.ui.link_text import link_status
from cnc_station.ui.pages.settings import SettingsPage
from cnc_station.ui.pages.stations import StationsPage
from cnc_station.ui.shell import Shell
from cnc_station.ui.theme import Tone
from tests.tools.servers import Postgres, Redis
from tests.ui.real_engine import Office, opened
from tests.until import until

Opened = Callable[[Config], AbstractAsyncContextManager[Shell]]


@dataclass(slots=True)
class Clock:
    ahead_ms: int = 0

    def now(self) -> int:
        return now_ms() + self.ahead_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def window(clock: Clock) -> Opened:
    """The whole window on a station of its own."""

    @asynccontextmanager
    async def opened(config: Config) -> AsyncIterator[Shell]:
        shell, engine = Shell(Frame()), StationEngine(config)
        await engine.start()
        shell.window.show()
        shell.open(
            engine.door(local_principal("tester")),
            lambda: engine.local_door.execute(SaveSettings({})),
            clock.now,
        )
        yield shell
        await shell.close()
        await engine.stop()
        shell.window.finish()
        shell.window.deleteLater()

    return opened


def words(shell: Shell) -> str:
    return shell.window.top_bar.dots.accessibleName()


async def test_a_pc_alone_says_so(config: Config, window: Opened) -> None:
    async with window(config) as shell:
        assert words(shell) == "This PC only"


async def test_redis_away_is_said_with_its_time_and_taken_back(
    config: Config, shop_url: str, own_redis: Redis, window: Opened, clock: Clock
) -> None:
    fleet = replace(config, database_url=shop_url, redis_url=own_redis.url)
    async with window(fleet) as shell:
        await until(lambda: words(shell) == "Database, Redis")
        own_redis.kill()
        await until(lambda: words(shell).startswith("Database, Redis away 00:0"))
        assert words(shell).endswith(" · slower, nothing lost")
        clock.ahead_ms = 42_000
        await until(lambda: "away 00:4" in words(shell))
        own_redis.start()
        await until(lambda: words(shell) == "Database, Redis")


async def test_a_database_away_is_said_and_the_stations_stay_as_they_were(
    config: Config, own_postgres: Postgres, window: Opened
) -> None:
    with own_postgres.new_database() as url:
        async with window(replace(config, database_url=url)) as shell:
            shell.to_page("stations")
            page = shell.window.page("stations")
            assert isinstance(page, StationsPage)
            await until(lambda: page.rows.rows)
            own_postgres.stop()
            await until(lambda: words(shell).startswith("Database away 00:0"))
            assert words(shell).endswith(" · machines keep running, the lists stand still")
            await until(lambda: page.count.text().endswith("the database is down"))
            assert [p.station.name for p in page.rows.rows] == ["A"]
            own_postgres.start()
            await until(lambda: words(shell) == "Database")
            await until(lambda: page.count.text().startswith("1 online"))


async def test_a_station_whose_name_was_taken_over_says_that_it_runs_nothing(
    config: Config, shop_url: str, window: Opened
) -> None:
    async with window(replace(config, database_url=shop_url, lease_s=3.0)) as shell:
        await until(lambda: words(shell) == "Database")
        taken = Database(shop_url)
        with closing(taken.connect_writer()) as pen, pen.begin():
            pen.execute(update(station).values(incarnation="other"))
        taken.close()
        await until(lambda: words(shell).endswith("taken by another station · nothing is run here"))
        shell.to_page("settings")
        page = shell.window.page("settings")
        assert isinstance(page, SettingsPage)
        await until(lambda: "called A now" in dict(page.station.pairs()).get("Name taken", ""))


async def test_the_page_of_a_pc_alone_leads_to_a_fleet(office: Office) -> None:
    async with opened(office, StationsPage(office.context)) as page:
        await until(page.empty.isVisible)
        page.empty.step.emit()
        form = page.findChild(FleetForm)
        assert isinstance(form, FleetForm)
        await until(form.isVisible)
        form.reject()


def test_what_is_away_is_coloured_by_what_it_costs() -> None:
    assert link_status(Link("redis", "offline", 0), 42_000).tone is Tone.HELD
    assert link_status(Link("database", "offline", 0), 12_000).tone is Tone.ALARM
    assert link_status(Link("database", "offline", 0), 12_000).words.startswith(
        "Database away 00:12 · "
    )
