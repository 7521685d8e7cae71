"""Redis, a station's local socket and doctor's probes against every misbehaviour."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.queries import ListMachines
from cnc_station.engine.signals import messages
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.redis import SILENCE_S, RedisSignals
from cnc_station.local_socket import client as station_client
from cnc_station.local_socket.client import StationDoor
from cnc_station.peers import limits
from tests.peers.misbehaviours import MISBEHAVIOURS, misbehaving
from tests.peers.protocols import REDIS, STATION
from tests.peers.watching import going_on, is_sentence

SHORT_S = 1.0


@pytest.mark.parametrize("what", [*MISBEHAVIOURS, "pushes", "other types"])
async def test_a_false_redis_costs_signals_and_nothing_else(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[object] = []
    messages.prepare()

    def hear(told: object) -> None:
        heard.append(told)

    async with misbehaving(REDIS, what) as port, going_on(3 * SILENCE_S):
        signals = RedisSignals(f"redis://127.0.0.1:{port}/0")
        await signals.start(SignalHandlers(hear, hear, hear))
        signals.wait_for(frozenset({"mill"}))
        signals.announce_work({"mill": 1})
        with suppress(Unavailable):
            await signals.ping()
        await asyncio.sleep(0.5)  # it begins again and again meanwhile
        await signals.stop()
    assert all(isinstance(told, Notice | Mapping | str) for told in heard)
    assert "bug" not in caplog.text
    assert len(heard) < 100


@pytest.mark.parametrize("what", MISBEHAVIOURS)
async def test_a_false_station_behind_the_local_socket_is_reported_in_words(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station_client, "ANSWER_S", SHORT_S)
    async with misbehaving(STATION, what) as port, going_on(15):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        door = StationDoor(reader, writer)
        words = await answer_of(door)
        assert words is None or is_sentence(words), words
        door.close()


async def answer_of(door: StationDoor) -> str | None:
    """Return why there was no answer; None if there was one."""
    try:
        await door.ask(ListMachines())
    except CncStationError as error:
        return str(error)
    return None


@pytest.mark.parametrize("what", ["hang", "trickle", "flood", "wrong peer", "deep"])
async def test_doctor_reports_a_false_redis_in_words_and_ends(what: str, tmp_path: Path) -> None:
    environ = os.environ | {"CNC_DATA_FOLDER": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    async with misbehaving(REDIS, what) as port:
        environ["CNC_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cnc_station", "doctor"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=limits.PROBE.last_byte_s + 40,
            check=False,
        )
    lines = [line for line in done.stdout.splitlines() if "  redis " in line]
    assert lines, done.stdout + done.stderr
    assert "BAD" in lines[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("what", ["hang", "trickle", "wrong peer"])
async def test_doctor_reports_a_false_database_in_words_and_ends(what: str, tmp_path: Path) -> None:
    environ = os.environ | {"CNC_DATA_FOLDER": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    slow = replace(STATION, proper=lambda _: b"N" * 200)
    async with misbehaving(slow, what) as port:
        environ["CNC_DATABASE_URL"] = f"postgresql://127.0.0.1:{port}/cnc"
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cnc_station", "doctor"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=limits.PROBE.last_byte_s + 40,
            check=False,
        )
    assert any("database" in line and "BAD" in line for line in done.stdout.splitlines())
    assert "Traceback" not in done.stderr
