"""What a station counts of its own work, as Prometheus reads it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.errors import NotPermitted
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ScrapeMetrics
from cnc_station.engine.services import fleet_metrics
from cnc_station.engine.services.metrics import MOST_NAMES, BoundedNames
from cnc_station.engine.store.database import Database
from tests.engine.conftest import Station
from tests.standing_still import standing_still
from tests.tools.servers import Postgres
from tests.until import until

Series = dict[tuple[str, frozenset[str]], float]
NO_LABELS: frozenset[str] = frozenset()


def labels(*values: str) -> frozenset[str]:
    return frozenset(values)


async def scraped(door: Door) -> Series:
    """The value of each series by its name and the values of its labels."""
    found = await door.ask(ScrapeMetrics())
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(found.content.decode())
        for sample in family.samples
    }


def of_fleet(found: Series) -> set[str]:
    return {name for name, _ in found} & {"cnc_jobs", "cnc_webhook_backlog", "cnc_late_jobs"}


def echo(**values: object) -> JobSpec:
    return JobSpec("echo", handler="test.echo", payload=dict(values))


async def test_a_station_counts_the_jobs_that_it_took_in_and_the_runs_that_it_ended(
    station: Station,
) -> None:
    floor = await station()
    await floor.mill()
    jobs = [await floor.job(tenant="Ada"), await floor.job(), *await _submit(floor.door, echo())]
    for job_id in jobs:
        await floor.comes_to(job_id, JobState.COMPLETED)
    found = await scraped(floor.door)
    assert found["cnc_jobs_submitted_total", labels("Ada", "machine.program")] == 1
    assert found["cnc_jobs_submitted_total", labels("", "machine.program")] == 1
    assert found["cnc_jobs_submitted_total", labels("", "test.echo")] == 1
    assert found["cnc_runs_total", labels("succeeded", "machine.program", "mill")] == 2
    assert found["cnc_runs_total", labels("succeeded", "test.echo", "")] == 1
    assert (
        found["cnc_pickup_seconds_count", NO_LABELS]
        == found["cnc_run_seconds_count", NO_LABELS]
        == 3
    )
    assert 0 < found["cnc_run_seconds_sum", NO_LABELS] < 60
    assert found["cnc_limit_hits_total", labels("create")] == 0
    assert found["cnc_runs_total", labels("failed", "test.echo", "")] == 0
    assert found["cnc_webhook_deliveries_total", labels("dead")] == 0
    assert found["cnc_link_up", labels("database")] == 1


async def test_a_failed_run_counts_as_a_retry_and_the_last_one_as_a_dead_letter(
    config: Config, station: Station
) -> None:
    floor = await station(replace(config, retry=RetryPolicy(initial_s=0.01, jitter=0.0)))
    spec = JobSpec(
        "fails", handler="test.delay", payload={"durationMs": 1, "shouldFail": True}, retry_limit=1
    )
    (job_id,) = await _submit(floor.door, spec)
    await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    found = await scraped(floor.door)
    assert found["cnc_runs_total", labels("failed", "test.delay", "")] == 2
    assert found["cnc_retries_total", labels("test.delay")] == 1
    assert found["cnc_dead_lettered_total", NO_LABELS] == 1
    assert found["cnc_jobs", labels("failed", "")] == 1


async def test_the_leader_tells_what_waits_and_why(station: Station) -> None:
    floor = await station()
    first = await floor.job(machine_type="lathe", due_at=1)
    await floor.job(machine_type="lathe", after=(first,))
    await floor.act("pause", await floor.job(machine_type="router"))
    await until(lambda: _leads(floor.door))
    found = await scraped(floor.door)
    assert found["cnc_jobs", labels("pending", "lathe")] == 2
    assert found["cnc_waiting_jobs", labels("capacity", "lathe")] == 1
    assert found["cnc_waiting_jobs", labels("predecessor", "lathe")] == 1
    assert found["cnc_waiting_jobs", labels("paused", "router")] == 1
    assert found["cnc_jobs", labels("running", "")] == 0
    assert found["cnc_late_jobs", NO_LABELS] == 1


async def test_exactly_one_station_tells_of_the_fleet_also_after_a_change_of_leader(
    config: Config, shop_url: str
) -> None:
    shared = replace(config, database_url=shop_url, leader_lease_s=1.0)
    a, b = StationEngine(shared), StationEngine(replace(shared, station="B"))
    await a.start()
    await b.start()

    async def tell(*stations: StationEngine) -> bool:
        found = [await scraped(one.local_door) for one in stations]
        leads = [series["cnc_leader", NO_LABELS] == 1 for series in found]
        assert sum(leads) <= 1
        assert all(leads[place] or not of_fleet(series) for place, series in enumerate(found))
        return sum(bool(of_fleet(series)) for series in found) == 1

    await until(lambda: tell(a, b))
    await a.stop()
    await until(lambda: tell(b))
    await b.stop()


async def test_a_scrape_without_the_database_has_all_but_the_fleet(
    config: Config, own_postgres: Postgres
) -> None:
    engine = StationEngine(replace(config, database_url=own_postgres.url()))
    await engine.start()
    try:
        await until(lambda: _leads(engine.local_door))
        with standing_still(own_postgres):

            async def is_away() -> Series | None:
                found = await scraped(engine.local_door)
                return None if found["cnc_link_up", labels("database")] else found

            found = await until(is_away)
            assert found is not None
            assert not of_fleet(found)
            assert ("cnc_loop_lag_seconds_count", NO_LABELS) in found
        await until(lambda: _leads(engine.local_door))
    finally:
        await engine.stop()


async def test_a_scrape_waits_for_no_slow_query_and_blocks_no_loop(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_metrics, "FRESH_S", 0.0)
    monkeypatch.setattr(fleet_metrics, "REST", 0.0)
    floor = await station()
    await until(lambda: _leads(floor.door))
    monkeypatch.setattr(fleet_metrics, "PATIENCE_S", 0.05)
    released = asyncio.Event()
    loop, read = asyncio.get_running_loop(), Database.read

    def slow(database: Database, query: object) -> object:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return read(database, query)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "read", slow)
    assert not of_fleet(await scraped(floor.door))
    released.set()
    await until(lambda: _leads(floor.door))


async def test_who_sees_some_tenants_only_may_not_read_the_counts_of_all(station: Station) -> None:
    floor = await station()
    ada = Principal("ada", frozenset({Role.ADMINISTRATOR}), tenants=frozenset({"Ada"}))
    with pytest.raises(NotPermitted, match="all tenants"):
        await floor.engine.door(ada).ask(ScrapeMetrics())


def test_a_label_has_at_most_so_many_values() -> None:
    name = BoundedNames()
    wanted = [f"tenant {number}" for number in range(MOST_NAMES)]
    assert [name(one) for one in wanted] == wanted
    assert [name("one more"), name(wanted[0])] == ["other", wanted[0]]


async def test_no_label_has_the_number_of_a_job_or_a_name_that_only_one_job_has(
    station: Station,
) -> None:
    floor = await station()
    specs = [replace(echo(), name=f"job {n}", tenant=f"t{n}") for n in range(MOST_NAMES + 20)]
    await _submit(floor.door, *specs)
    found = await scraped(floor.door)
    tenants = [name for name, _ in found if name == "cnc_jobs_submitted_total"]
    assert len(tenants) == MOST_NAMES + 1
    assert found["cnc_jobs_submitted_total", labels("other", "test.echo")] == 20
    assert not any("job " in value for _, values in found for value in values)


async def _submit(door: Door, *specs: JobSpec) -> Sequence[int]:
    return await door.execute(SubmitJobs(specs))


async def _leads(door: Door) -> bool:
    return bool(of_fleet(await scraped(door)))
