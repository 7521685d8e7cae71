"""A Python client that a generator makes from `openapi.json` works at a running station."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.web.api_client import Client

PACKAGE = "cnc_station_client"
PROGRAM = b"G21 G90\nG0 X0 Y0 Z5\nG1 Z-1 F100\nM30\n"


async def generate(description: bytes, folder: Path) -> str:
    """Make the package, and return the warnings of the generator."""
    (folder / "openapi.json").write_bytes(description)
    tools = Path(sys.executable).parent  # the generator formats with ruff
    process = await asyncio.create_subprocess_exec(
        *(str(tools / "openapi-python-client"), "generate", "--path", "openapi.json"),
        *("--output-path", "generated"),
        cwd=folder,
        env={"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told
    return told


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import a module of the generated package; afterwards it is forgotten."""
    monkeypatch.syspath_prepend(tmp_path / "generated")

    def module(name: str) -> ModuleType:
        return importlib.import_module(f"{PACKAGE}.{name}")

    yield module
    for name in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


async def test_a_generated_python_client_speaks_with_a_station(
    api: Client, tmp_path: Path, imported: Callable[[str], Any]
) -> None:
    async with api.session.get("/api/v1/openapi.json") as answer:
        told = await generate(await answer.read(), tmp_path)
    assert "WARNING" not in told, told
    models, types = imported("models"), imported("types")
    client = imported("client").Client(
        base_url=f"{api.url}/api/v1", raise_on_unexpected_status=True
    )

    async def call(operation: str, **given: Any) -> Any:
        asked = imported(f"api.{operation}").asyncio_detailed
        answer = await asked(client=client, **given)
        return answer.parsed

    job = await call(
        "jobs.post_jobs",
        body=models.JobIn(name="Bracket", machine_type="mill", priority="high"),
        idempotency_key="order-1",
    )
    assert (job.name, job.priority, job.state) == ("Bracket", 90, models.JobState.QUEUED)
    two = models.JobsIn(jobs=[models.JobIn(name="Plate", machine_type="mill")] * 2)
    assert [one.name for one in (await call("jobs.post_jobs", body=two)).jobs] == ["Plate"] * 2
    page = await call("jobs.get_jobs", status="pending", limit=2, sort="-priority")
    assert (page.total, [one.name for one in page.jobs]) == (3, ["Bracket", "Plate"])
    reason = models.ActionIn(reason="no stock")
    paused = await call("jobs.post_jobs_id_pause", id=job.id, body=reason, if_match='"v1"')
    assert (paused.status, paused.state) == (models.JobStatus.PENDING, models.JobState.PAUSED)
    shown = await call("jobs.get_jobs_id", id=job.id)
    assert [event.type_ for event in shown.events] == ["created", "paused"]
    assert shown.created_at == job.created_at
    refused = await call("jobs.post_jobs_id_pause", id=job.id, body=reason, if_match='"v1"')
    assert (refused.status, refused.type_) == (412, "/problems/precondition")
    wrong = await call("jobs.post_jobs", body=models.JobIn(name="Bracket"))
    assert [(one.field, wrong.status) for one in wrong.errors] == [("machine_type", 422)]
    absent = await call("jobs.get_jobs_id", id=99)
    assert (absent.title, absent.trace_id.isalnum()) == ("Not Found", True)
    file = types.File(payload=PROGRAM)
    stored = await call("programs.post_programs", body=file, name="bracket.ngc")
    assert (stored.name, stored.size) == ("bracket.ngc", len(PROGRAM))
