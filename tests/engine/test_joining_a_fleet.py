"""Joining a fleet: what is wrong is said at its field, and nothing is stored until both work."""

import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from cnc_station import addresses, secrets
from cnc_station import config as settings
from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, JoinFleet, SubmitJobs, TryFleet
from cnc_station.engine.domain.errors import Conflict, InvalidInput, NotPermitted
from cnc_station.engine.domain.fleet import FleetServers
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListActiveRuns, ListStations
from tests.engine.floor import MILL
from tests.until import until


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    return replace(config, settings_file=tmp_path / "settings" / "cnc-station.toml")


@pytest.fixture
def servers(shop_url: str, redis_url: str) -> FleetServers:
    """A fleet's servers, their passwords apart."""
    words = [addresses.password(url) for url in (shop_url, redis_url)]
    assert words[0] is not None
    assert words[1] is not None
    return FleetServers(
        addresses.without_password(shop_url),
        words[0],
        addresses.without_password(redis_url),
        words[1],
        "Shop PC 2",
    )


async def refused(engine: StationEngine, servers: FleetServers) -> dict[str, str]:
    """What is wrong, by field."""
    with pytest.raises(InvalidInput) as error:
        await engine.local_door.execute(JoinFleet(servers))
    return {one.field: one.reason for one in error.value.errors}


async def test_a_station_joins_and_its_next_start_is_in_the_fleet(
    engine: StationEngine, config: Config, servers: FleetServers
) -> None:
    file = config.settings_file
    assert file is not None
    file.parent.mkdir()
    file.write_text('# ours\ntheme = "dark"\ndatabase = "old.db"\n')
    report = await engine.local_door.execute(TryFleet(servers))
    assert "its schema fits" in report.database
    assert report.redis.startswith("Redis ")
    assert file.read_text().endswith('"old.db"\n'), "trying stores nothing"
    await engine.local_door.execute(JoinFleet(servers))
    text = file.read_text()
    assert text.startswith('# ours\ntheme = "dark"\n')
    for word in (servers.database_password, servers.redis_password):
        assert word not in text
    after = settings.load({"CNC_DATA_FOLDER": str(config.data_folder)}, file)
    assert (after.theme, after.station) == ("dark", "Shop PC 2")
    await engine.stop()
    fleet = StationEngine(secrets.complete(after))
    await fleet.start()
    (own,) = await fleet.local_door.ask(ListStations())
    assert own.name == "Shop PC 2"
    await fleet.stop()


async def test_each_wrong_entry_is_said_at_its_field_and_nothing_is_stored(
    engine: StationEngine, config: Config, servers: FleetServers
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    url = servers.database_url
    name = urlsplit(url).path
    wrong = {
        "no computer of that name": {
            "database_url": f"postgresql://cnc@no-such-host.invalid{name}"
        },
        "refuses the connection": {"database_url": f"postgresql://cnc@127.0.0.1:{closed}{name}"},
        "no database of that name": {"database_url": url.replace(name, "/nothing")},
        "is missing: the server asks": {"database_password": ""},
        "the server refuses it: is it": {"database_password": "guessed"},
        "no encryption": {"database_url": f"{url}?sslmode=require"},
        "refuses it, or asks for one": {"redis_password": "guessed"},
        "not a Redis server": {
            "redis_url": f"redis://{urlsplit(url).hostname}:{urlsplit(url).port}"
        },
        "must be an address such as": {"redis_url": "http://server"},
    }
    for reason, entry in wrong.items():
        (field,) = entry
        errors = await refused(engine, replace(servers, **entry))
        assert reason in errors[field], errors
        assert list(errors) == [field]
    both = replace(servers, database_password="guessed", redis_password="guessed")
    assert list(await refused(engine, both)) == ["database_password", "redis_password"]
    assert config.settings_file is not None
    assert not config.settings_file.exists()
    assert not (config.data_folder / secrets.FILE_NAME).exists()


async def test_a_certificate_that_nobody_vouches_for_is_named(
    engine: StationEngine, servers: FleetServers, tmp_path: Path
) -> None:
    missing = f"{servers.database_url}?sslmode=verify-full"
    errors = await refused(engine, replace(servers, database_url=missing))
    assert "certificate" in errors["database_url"] or "encryption" in errors["database_url"]
    absent = f"{missing}&sslrootcert={tmp_path}/none.crt"
    errors = await refused(engine, replace(servers, database_url=absent))
    assert "must be the full path of an existing file" in errors["database_url"]


async def test_another_version_of_the_schema_or_a_foreign_database_is_refused_in_words(
    engine: StationEngine, servers: FleetServers, shop_url: str
) -> None:
    for revision, words in (("0001", "update the other stations"), ("9999", "newer program here")):
        run(shop_url, f"UPDATE alembic_version SET version_num = '{revision}'")
        assert words in (await refused(engine, servers))["database_url"]
    run(shop_url, "DROP TABLE alembic_version CASCADE")
    assert "another program's data" in (await refused(engine, servers))["database_url"]


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def test_an_empty_database_begins_a_fleet_if_its_user_may_make_tables(
    engine: StationEngine, servers: FleetServers, postgres_url: str
) -> None:
    empty = replace(servers, database_url=addresses.without_password(postgres_url))
    report = await engine.local_door.execute(TryFleet(empty))
    assert "a new fleet begins" in report.database
    name = urlsplit(postgres_url).path[1:]
    run(postgres_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    assert "takes no changes" in (await refused(engine, empty))["database_url"]


async def test_a_name_that_a_live_station_has_is_refused_at_its_field(
    engine: StationEngine, config: Config, servers: FleetServers, shop_url: str
) -> None:
    other = StationEngine(replace(config, database_url=shop_url, station="Shop PC 2"))
    await other.start()
    assert "at work already" in (await refused(engine, servers))["station"]
    await other.stop()
    await engine.local_door.execute(TryFleet(servers))


async def test_nothing_is_kept_when_the_settings_file_cannot_be_changed(
    engine: StationEngine, config: Config, servers: FleetServers
) -> None:
    assert config.settings_file is not None
    config.settings_file.parent.mkdir()
    config.settings_file.write_text("theme = [\n")
    with pytest.raises(Conflict, match="not valid TOML"):
        await engine.local_door.execute(JoinFleet(servers))
    assert config.settings_file.read_text() == "theme = [\n"
    assert not (config.data_folder / secrets.FILE_NAME).exists()


async def test_what_overrides_the_file_or_runs_here_forbids_it(
    config: Config, servers: FleetServers
) -> None:
    fixed = StationEngine(replace(config, overridden=frozenset({"database_url"})))
    await fixed.start()
    with pytest.raises(Conflict, match="sets database_url"):
        await fixed.local_door.execute(JoinFleet(servers))
    await fixed.stop()
    busy = StationEngine(replace(config, simulator_speed=0.01))
    await busy.start()
    await busy.local_door.execute(AddMachine(MILL))
    await busy.local_door.execute(SubmitJobs([JobSpec("Long", "mill", estimated_s=3600.0)]))
    await until(lambda: busy.local_door.peek(ListActiveRuns()))
    with pytest.raises(Conflict, match="run is active"):
        await busy.local_door.execute(JoinFleet(servers))
    await busy.stop()


async def test_a_supervisor_may_not_move_a_station_to_a_fleet(
    engine: StationEngine, servers: FleetServers
) -> None:
    door = engine.door(Principal("ann", frozenset({Role.SUPERVISOR}), tenants=None))
    with pytest.raises(NotPermitted, match="move a station to a fleet"):
        await door.execute(TryFleet(servers))
