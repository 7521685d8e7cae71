"""A real Prometheus scrapes two stations on PostgreSQL, with the rules and the dashboard that the
compose files bring."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.conftest import serving
from tests.tools.prometheus import SETTINGS, Prometheus
from tests.until import until

DASHBOARD = SETTINGS.parents[1] / "grafana" / "dashboards" / "cnc-station.json"
RANGES = {"$__rate_interval": "1m", "$__range": "1h"}
JOBS = 8


@dataclass(frozen=True, slots=True)
class Station:
    engine: StationEngine
    server: WebServer

    async def stop(self) -> None:
        await self.server.stop()
        await self.engine.stop()


@pytest.fixture
async def stations(tmp_path: Path, shop_url: str) -> AsyncIterator[dict[str, Station]]:
    """Two stations, each with a mill, by the address at which they serve their metrics."""
    config = Config(tmp_path, shop_url, simulator_speed=1000.0, leader_lease_s=1.0)
    found: dict[str, Station] = {}
    for name in ("A", "B"):
        engine = StationEngine(replace(config, station=name))
        await engine.start()
        await engine.local_door.execute(
            AddMachine(MachineSpec(f"Mill {name}", "mill", capability=Capability("mill")))
        )
        server = WebServer(engine.local_door)
        found[f"127.0.0.1:{await server.start('127.0.0.1', 0)}"] = Station(engine, server)
    yield found
    for station in found.values():
        await station.stop()


async def test_prometheus_sees_one_fleet_and_evaluates_its_rules_and_panels(
    stations: dict[str, Station],
) -> None:
    with serving(partial(Prometheus, [*stations])) as prometheus:

        async def shows(expression: str, *wanted: float) -> None:
            async def is_so() -> bool:
                return await asyncio.to_thread(prometheus.values, expression) == [*wanted]

            await until(is_so, 30)

        await shows("sum(up)", 2)
        await shows("sum(cnc_leader)", 1)
        await shows("count(count by (instance) (cnc_jobs))", 1)
        doors = [station.engine.local_door for station in stations.values()]
        await doors[0].execute(SubmitJobs([JobSpec("for nobody", "lathe")]))
        for done in (JOBS, 2 * JOBS):  # a rate needs a second value
            for door in doors:
                await door.execute(SubmitJobs([*_jobs()]))
            await shows('sum(cnc_runs_total{outcome="succeeded"})', 2 * done)
            await shows("sum(cnc_run_seconds_count)", 2 * done)
        await shows("sum(cnc_jobs_submitted_total)", 4 * JOBS + 1)
        await shows("cnc:success_rate:1h", 100)
        await shows('cnc:jobs{status="pending"}', 1)
        await shows('cnc:waiting_jobs{reason="capacity"}', 1)
        await shows('count(cnc_machine_state{state="idle"})', 2)
        await asyncio.to_thread(_check_rules_and_panels, prometheus)
        found = await asyncio.to_thread(prometheus.ask, "query", query="cnc_leader == 1")
        (leading,) = found["result"]
        await stations.pop(leading["metric"]["instance"]).stop()
        await shows("sum(up)", 1)
        await shows("sum(cnc_leader)", 1)
        await shows("count(count by (instance) (cnc_jobs))", 1)


def _jobs() -> Iterator[JobSpec]:
    for number in range(JOBS // 2):
        yield JobSpec(f"bracket {number}", "mill", estimated_s=1.0)
        yield JobSpec(f"report {number}", handler="test.echo")


def _check_rules_and_panels(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    panel_expressions = [one["expr"] for panel in panels for one in panel.get("targets", ())]
    for expression in panel_expressions:
        ranged = re.sub(r"\$\w+", lambda name: RANGES[name[0]], expression)
        prometheus.ask("query", query=ranged)
    expressions = [*panel_expressions, *(rule["query"] for rule in rules)]
    used = set(re.findall(r"\bcnc[_:][a-z0-9_:]+", " ".join(expressions)))
    assert used <= {*prometheus.ask("label/__name__/values")}
