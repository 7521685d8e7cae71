"""Data of other programs just inside their limits: the loop of the drivers goes on meanwhile."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

import pytest

from cnc_station.engine.commands import AddProgram, SubmitJobs
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.notice import MOST_EVENTS
from cnc_station.engine.drivers.linuxcnc.snapshot import Snapshot, asked
from cnc_station.engine.drivers.mtconnect.documents import Streams, parse
from cnc_station.engine.drivers.mtconnect.layout import layout
from cnc_station.engine.drivers.mtconnect.picture import Picture
from cnc_station.engine.outgoing_http import (
    KEPT_BYTES,
    HttpAnswer,
    HttpFailed,
    HttpRequest,
    OutgoingHttp,
)
from cnc_station.engine.outside_file import MOST_PROGRAM_BYTES
from cnc_station.engine.signals import messages
from cnc_station.engine.timing import SWITCH_S
from cnc_station.local_socket import codec
from cnc_station.peers.limits import LINUXCNC, LOCAL_SOCKET, MTCONNECT, REDIS
from cnc_station.peers.pace import in_slices
from tests.peers.false_web_server import ANSWERS
from tests.peers.protocols import MTCONNECT as AGENT
from tests.peers.protocols import snapshot_answers
from tests.peers.watching import resident_mb, turns_during
from tests.until import at_best

GOAL_S = 0.020
"""What this process computes between two turns of the loop, of 99 turns in a hundred. Of the loop's
own thread and of all others: the interpreter runs one at a time."""
HEADER = '<Header instanceId="1" nextSequence="9" version="1.3"/>'
FAULT = '<Fault dataItemId="x" sequence="{at}" nativeCode="{at}">bad {pad}{at}</Fault>'

Work = Callable[[], Awaitable[object]]


def _streams(inside: str) -> bytes:
    text = f"<MTConnectStreams>{HEADER}<Streams>{inside}</Streams></MTConnectStreams>"
    assert 0.9 * MTCONNECT.bytes < len(text) < MTCONNECT.bytes
    return text.encode()


def _document(inside: str) -> Work:
    data = _streams(inside)

    async def work() -> None:
        document = await asyncio.to_thread(parse, data)
        if isinstance(document, Streams):
            picture = Picture(LAYOUT)
            with suppress(Unavailable):  # of too many alarms
                async for observation in in_slices(document.observations):
                    picture.take(observation)

    return work


def _notice(item: str, most: int) -> Work:
    column = "[" + ",".join([item] * min(most, REDIS.bytes // (12 * len(item) + 12) - 9)) + "]"
    body = f'{{"columns":[{",".join([column] * 12)}],"missed":false}}'
    return _heard(messages.notice, f'{{"from":"x","body":{body}}}'.encode())


def _telemetry(figure: str) -> Work:
    one = f'{{"line":3,"x":{figure},"fraction":0.5,"remaining_s":9,"part":1}}'
    body = ",".join(f'"{at}":{one}' for at in range(3_990))
    return _heard(messages.telemetry, f'{{"from":"x","body":{{{body}}}}}'.encode())


def _heard(read: Callable[[bytes], object], data: bytes) -> Work:
    assert len(data) <= REDIS.bytes

    async def work() -> None:
        await asyncio.sleep(0.002)
        read(data)

    return work


def _request(line: bytes) -> Work:
    assert len(line) < LOCAL_SOCKET.bytes
    return partial(asyncio.to_thread, codec.load_request, line)


def _snapshot() -> Work:
    questions, answers = asked(3, spindle=True), [text.decode() for text in snapshot_answers()]
    longest = LINUXCNC.bytes // len(answers)

    async def work() -> None:
        pairs = [(q, a.ljust(longest, "(")) for q, a in zip(questions, answers, strict=True)]
        with suppress(ValueError):
            Snapshot.read(tuple(pairs), 1.0)

    return work


_probe = parse(AGENT.proper(b"/probe").partition(b"\r\n\r\n")[2])
LAYOUT = layout(_probe.devices[0])  # type: ignore[union-attr] # it is a probe
HEAVIEST: Mapping[str, Callable[[], Work]] = {
    "MTConnect: most elements": lambda: _document(
        "".join(FAULT.format(at=at, pad="y" * 88) for at in range(24_900))
    ),
    "MTConnect: deepest": lambda: _document(("<a>" * 45 + "</a>" * 45) * 277 + " " * 4_000_000),
    "MTConnect: one text": lambda: _document(f"<Value dataItemId='p'>{'x' * 4_190_000}</Value>"),
    "MTConnect: references": lambda: _document(
        f"<Value dataItemId='p'>{'&lt;' * 1_040_000}</Value>"
    ),
    "MTConnect: attributes": lambda: _document(
        ("<Value " + " ".join(f"a{at}='b'" for at in range(6_000)) + "/>") * 68
    ),
    "Redis: most events": lambda: _notice("7", MOST_EVENTS),
    "Redis: wrong events": lambda: _notice('"x"', MOST_EVENTS),
    "Redis: lists in lists": lambda: _notice("[]", 300),
    "Redis: numbers": lambda: _notice("0", 10**6),
    "Redis: telemetry": lambda: _telemetry("1.5"),
    "Redis: wrong telemetry": lambda: _telemetry('"x"'),
    "linuxcncrsh: longest answers": _snapshot,
    "local socket: largest program": lambda: _request(
        codec.dump_request(AddProgram("x.nc", b"G1 X1\n" * (MOST_PROGRAM_BYTES // 6)))
    ),
    "local socket: most jobs": lambda: _request(
        codec.dump_request(SubmitJobs([JobSpec("part", "mill")] * 2_400))
    ),
}


@pytest.fixture(scope="module", autouse=True)
def prepared() -> Iterator[None]:
    messages.prepare()
    codec.load_request(codec.dump_request(AddProgram("x", b"")))
    codec.load_request(codec.dump_request(SubmitJobs([])))
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()  # as a station does, so that no collection of garbage searches what is imported
    yield
    gc.unfreeze()
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("what", HEAVIEST)
async def test_the_loop_has_its_turn_while_the_largest_data_is_understood(what: str) -> None:
    work = HEAVIEST[what]()

    async def measure() -> float:
        turns = await turns_during(work)
        lag_s = sorted(turns)[int(0.99 * len(turns))]
        print(f"{what:36} p99 {lag_s * 1000:5.1f} ms  max {max(turns) * 1000:5.1f} ms")
        return lag_s

    assert await at_best(measure, GOAL_S) < GOAL_S


@pytest.fixture(scope="module")
def web_server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.peers.false_web_server"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@pytest.mark.parametrize("path", ANSWERS)
async def test_the_loop_has_its_turn_while_a_web_server_answers_without_end(
    web_server: str, path: str
) -> None:
    http = OutgoingHttp()
    request = HttpRequest("GET", web_server + path, timeout_s=10.0)
    answers: list[HttpAnswer] = []

    async def ask() -> None:
        with suppress(HttpFailed):
            answers.append(await http.send(request))

    async def measure() -> float:
        turns = await turns_during(ask)
        return sorted(turns)[int(0.99 * len(turns))]

    await ask()  # the library is loaded now
    before = resident_mb()
    assert await at_best(measure, GOAL_S) < GOAL_S
    assert resident_mb() - before < 16
    assert all(len(answer.body) <= KEPT_BYTES for answer in answers)
    assert bool(answers) == (path != "/headers")
    await http.close()
