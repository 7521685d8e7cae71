"""Requests that schemathesis makes from `openapi.json` are sent to a station, on both databases in
turn: no 5xx, and no status, type or body that the description does not promise.

Schemathesis loads this module as well: what it makes is right by the description, but seldom a job
that a station accepts. Every second request that creates something gets a body that it does.
"""

import asyncio
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import schemathesis

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.tools.servers import Postgres

LONGEST_S = 1_500.0  # on each database
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "negative_data_rejection"),
    *("unsupported_method", "allow_header_conformance", "use_after_free"),
)
_ROOT = Path(__file__).parents[2]
_COUNT = re.compile(r"(\d+) generated")
_TYPES = frozenset({"application/json", "application/octet-stream"})
_SHOWN = 6_000  # characters of what schemathesis says at its end

_FAILS = {"durationMs": 0, "shouldFail": True}
_JOBS: Sequence[Mapping[str, Any]] = (
    {"name": "Bracket", "machine_type": "mill", "priority": "high", "quantity": 2},
    {"name": "Gear", "required_machine_type": "lathe", "external_id": "ERP-1"},
    {"name": "Draft", "machine_type": "mill", "draft": True},
    {"name": "Report", "handler": "test.echo", "payload": {"a": 1}},
    {"name": "Fault", "handler": "test.delay", "payload": _FAILS, "retry_limit": 0},
    {"taskName": "Nap", "tenantId": "acme", "type": "sleep", "payload": {"delayMs": 60_000}},
)
_SCHEDULE = {"name": "Nightly", "cron": "30 2 * * *", "time_zone": "Europe/Berlin"}
_HOOK = {"url": "http://127.0.0.1:9/hook", "events": ["job:completed"]}
_STATUSES = ("completed", "cancelled", "needs_attention")
_ACTIONS = ("pause", "resume", "cancel", "retry", "run", "submit", "discard")


def _job(chance: random.Random) -> Any:
    one = dict(chance.choice(_JOBS))
    return one if chance.random() < 0.8 else {"jobs": [one, dict(chance.choice(_JOBS))]}


def _ids(chance: random.Random) -> list[int]:
    return [chance.randrange(1, 60) for _ in range(3)]


_BODIES: Mapping[tuple[str, str], Callable[[random.Random], Any]] = {
    ("POST", "/jobs"): _job,
    ("PATCH", "/jobs/{id}"): lambda chance: {"quantity": chance.randrange(1, 9)},
    ("PATCH", "/jobs/{id}/status"): lambda chance: {
        "status": chance.choice(_STATUSES),
        "reason": "by hand",
    },
    ("POST", "/jobs/actions"): lambda chance: {
        "action": chance.choice(_ACTIONS),
        "ids": _ids(chance),
    },
    ("POST", "/needs-attention/retry"): lambda chance: {"ids": _ids(chance)},
    ("POST", "/programs"): lambda chance: b"G21 G90\nG0 X%d\nM30\n" % chance.randrange(1, 9),
    ("POST", "/schedules"): lambda chance: {**_SCHEDULE, "job": dict(chance.choice(_JOBS[:2]))},
    ("POST", "/webhooks"): lambda _chance: {**_HOOK},
}


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Give every second valid request a body that the station accepts."""
    body = _BODIES.get((case.method, case.path))
    chance = random.Random(repr((case.body, case.query)))
    if body is None or case.meta is None or case.meta.generation.mode.is_negative:
        return case
    if case.media_type not in _TYPES:  # a form
        return case
    if chance.random() < 0.5:
        case.body = body(chance)
    return case


@dataclass(slots=True)
class Outcome:
    """How many requests were sent, and which answers were not as described."""

    requests: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        counts = (f"{count:,} requests on {name}" for name, count in self.requests.items())
        yield f"{', '.join(counts)}; {self.seconds:.0f} s in all"
        yield f"{len(self.violations)} violations"
        yield from self.violations


def run(seed: int, scale: float) -> Outcome:
    """Both databases, one after the other."""
    outcome, begun = Outcome(), time.monotonic()
    how = ("--max-time", str(max(20, round(LONGEST_S * scale))), "--seed", str(seed))
    with tempfile.TemporaryDirectory(prefix="cnc-faults-") as folder, Postgres() as server:
        file = f"sqlite:///{Path(folder) / 'station.db'}"
        asyncio.run(_send(outcome, "SQLite", Path(folder), file, how))
        with server.new_database() as url:
            asyncio.run(_send(outcome, "PostgreSQL", Path(folder), url, how))
    outcome.seconds = time.monotonic() - begun
    return outcome


async def _send(
    outcome: Outcome, name: str, folder: Path, database: str, how: Sequence[str]
) -> None:
    async with _served(Config(folder, database, station="A", synchronous="OFF")) as url:
        count, wrong = await requests_to(url, folder, *how)
    outcome.requests[name] = count
    outcome.violations += [f"{name}: {words}" for words in wrong]


async def requests_to(url: str, folder: Path, *how: str) -> tuple[int, list[str]]:
    """Fill a station, send generated requests to its API, and return their number, and what was
    wrong."""
    await _fill(url)
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "schemathesis"), "run"),
        *(f"{url}/api/v1/openapi.json", "--url", f"{url}/api/v1"),
        *("--checks", ",".join(CHECKS), "--phases", "fuzzing,stateful", "--continue-on-failure"),
        *("--request-timeout", "20", "--no-color", *how),
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": __name__, "PYTHONPATH": str(_ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    told = (await process.communicate())[0].decode()
    count = _COUNT.search(told)
    return int(count[1]) if count else 0, [told[-_SHOWN:]] if process.returncode else []


async def _fill(url: str) -> None:
    """Store one of each thing, so that links lead to something from the beginning."""
    chance = random.Random(0)
    made: list[tuple[str, Any]] = [
        ("jobs", {"jobs": [*_JOBS]}),
        ("webhooks", _HOOK),
        ("schedules", {**_SCHEDULE, "job": _JOBS[0]}),
    ]
    async with aiohttp.ClientSession(f"{url}/api/v1/") as session:
        for path, body in made:
            async with session.post(path, json=body) as answer:
                assert answer.status == 201, await answer.text()
        program = _BODIES["POST", "/programs"](chance)
        async with session.post("programs?name=bracket.ngc", data=program) as answer:
            assert answer.status == 201, await answer.text()


@asynccontextmanager
async def _served(config: Config) -> AsyncIterator[str]:
    """The API of a station with a mill and a lathe."""
    engine = StationEngine(config)
    await engine.start()
    for kind in ("mill", "lathe"):
        spec = MachineSpec(kind.capitalize(), kind, capability=Capability(kind))
        await engine.local_door.execute(AddMachine(spec))
    server = WebServer(engine.local_door)
    port = await server.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await server.stop()
    await engine.stop()
