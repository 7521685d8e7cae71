"""A station's local socket: the same answers as at its door, for its own user alone."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station import __version__
from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, AddProgram, EditJob, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import CncStationError, Conflict, InvalidInput, Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import (
    AboutStation,
    CountJobs,
    ExportJobs,
    FloorNow,
    JobById,
    ListDrivers,
    ListEvents,
    ListJobs,
    ListLinks,
    ListMachines,
    ListPrograms,
    ListRuns,
    ListStations,
    ProgramByHash,
    Query,
    StoredSettings,
    ToolpathByHash,
)
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.local_socket import codec, server
from cnc_station.local_socket.client import StationDoor, connect
from cnc_station.local_socket.place import Place, check_private, place_of, read_port
from cnc_station.local_socket.server import listening
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.until import until

GOOD = b"G21 G90 G94 S900 M3\nG0 X0 Y0 Z5\nG1 Z-1 F100\nG1 X60 F600\nG0 Z5\nM30\n"
EVERY = JobFilter(states=frozenset(JobState))
WAITING = JobSpec("bracket", "lathe", estimated_s=1.0, payload={"batch": [7, None]})


@pytest.fixture(params=["unix", "tcp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path / "run" / "s", request.param == "unix")


@pytest.fixture
async def floor(station: Station, config: Config, place: Place) -> AsyncIterator[FloorOf]:
    """A station that listens."""
    floor = await station()
    async with listening(config, floor.engine.door, place):
        yield floor


@asynccontextmanager
async def connected(config: Config, place: Place) -> AsyncIterator[StationDoor]:
    door = await connect(config, place)
    assert door is not None
    yield door
    door.close()


async def test_every_answer_is_the_same_as_at_the_door(
    floor: FloorOf, config: Config, place: Place
) -> None:
    async with connected(config, place) as remote:
        await floor.mill(settings={"failure_share": 0.0})
        done = await floor.job()
        await floor.comes_to(done, JobState.COMPLETED)
        program = await remote.execute(AddProgram("part.nc", GOOD))
        (job_id,) = await remote.execute(SubmitJobs([replace(WAITING, program=program.sha256)]))
        (answer,) = await remote.execute(ActOnJobs(JobAction.CANCEL, [job_id], "not now"))
        assert answer.undo is not None
        asked: list[Query[object]] = [
            ListJobs(EVERY, [Sort(SortKey.NAME)], 0, 50),
            JobById(job_id),
            JobById(done),
            JobById(99),
            CountJobs(EVERY),
            ListEvents(),
            ListRuns(),
            ExportJobs(EVERY, [], "csv"),
            ListMachines(),
            ListDrivers(),
            ListPrograms(),
            ProgramByHash(program.sha256),
            ToolpathByHash(program.sha256),
            StoredSettings(),
            AboutStation(),
            ListLinks(),
        ]
        for query in asked:
            assert await remote.ask(query) == await floor.door.ask(query), query
        here = (await remote.ask(ListStations()))[0]
        assert replace(here, heard_s=0.0) == replace(
            (await floor.door.ask(ListStations()))[0], heard_s=0.0
        )
        card = (await remote.ask(FloorNow())).cards[0]
        assert card == (await floor.door.ask(FloorNow())).cards[0]


async def test_who_asks_stands_in_the_events(floor: FloorOf, config: Config, place: Place) -> None:
    async with connected(replace(config, operator="Ada"), place) as remote:
        (job_id,) = await remote.execute(SubmitJobs([WAITING]))
    (event,) = await floor.door.ask(ListEvents(job_id=job_id))
    assert event.actor == "Ada"


async def test_every_refusal_is_the_same_as_at_the_door(
    floor: FloorOf, config: Config, place: Place
) -> None:
    async with connected(config, place) as remote:
        for command in (
            SubmitJobs([replace(WAITING, name="", quantity=0)]),
            EditJob(99, {"priority": 1}),
            AddProgram("part.nc", GOOD.replace(b" F100", b"")),
        ):
            refusals: list[CncStationError] = []
            for door in (remote, floor.door):
                with pytest.raises(CncStationError) as refused:
                    await door.execute(command)
                refusals.append(refused.value)
            over, at = refusals
            assert (type(over), str(over)) == (type(at), str(at))
            assert getattr(over, "errors", ()) == getattr(at, "errors", ())


async def test_one_client_that_says_nothing_keeps_nobody_waiting(
    floor: FloorOf, config: Config, place: Place
) -> None:
    async with connected(config, place), connected(config, place) as second:
        assert await second.ask(ListMachines()) == await floor.door.ask(ListMachines())


@pytest.mark.usefixtures("floor")
async def test_a_request_that_makes_no_sense_is_refused_and_the_next_one_answered(
    config: Config, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(config, place) as remote:
        for line in (b"nonsense", b'{"DropTables":{}}', b'{"JobById":{"job_id":"x"}}'):
            with monkeypatch.context() as patch:
                patch.setattr(codec, "dump_request", lambda _, line=line: line + b"\n")
                with pytest.raises(InvalidInput):
                    await remote.ask(JobById(1))
        assert await remote.ask(JobById(1)) is None


async def test_where_no_station_listens_there_is_no_door(
    floor: FloorOf, config: Config, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir(mode=0o700)
    nobody = Place(tmp_path / "empty" / "s", unix=True)
    assert await connect(config, nobody) is None
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(nobody.file))
    assert await connect(config, nobody) is None
    async with (
        listening(config, floor.engine.door, nobody),
        connected(config, nobody) as remote,
    ):
        assert await remote.ask(JobById(1)) is None
    assert not nobody.file.exists()


async def test_a_second_station_does_not_take_the_socket_of_the_first(
    floor: FloorOf, config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shared = Place(tmp_path / "run" / "one", unix=True)
    async with listening(config, floor.engine.door, shared):
        async with listening(config, floor.engine.door, shared):
            assert "another program listens" in caplog.text
        async with connected(config, shared) as remote:
            assert await remote.ask(JobById(1)) is None


@pytest.mark.usefixtures("floor")
async def test_only_the_stations_user_gets_in(config: Config, place: Place) -> None:
    assert place.file.parent.stat().st_mode & 0o777 == 0o700
    assert place.file.stat().st_mode & 0o777 == 0o600
    if not place.unix:
        place.file.write_text(json.dumps({**json.loads(place.file.read_text()), "token": "guess"}))
        async with connected(config, place) as remote:
            with pytest.raises(Conflict, match="not a program of the station's user"):
                await remote.ask(JobById(1))
    place.file.parent.chmod(0o755)
    with pytest.raises(Unavailable, match="must belong to this user alone"):
        await connect(config, place)


@pytest.mark.skipif(os.name != "posix", reason="a folder of all users, and its links")
def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(0o700)
    check_private(private)
    (tmp_path / "planted").symlink_to(private)
    with pytest.raises(Unavailable, match="must belong to this user alone"):
        check_private(tmp_path / "planted")


@pytest.mark.usefixtures("floor")
async def test_another_versions_command_line_is_told_so(
    config: Config, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "__version__", "0.0.0")
    async with connected(config, place) as remote:
        with pytest.raises(Unavailable, match=r"runs version 0\.0\.0"):
            await remote.ask(JobById(1))
    assert __version__ != "0.0.0"


async def test_a_path_that_is_too_long_for_a_socket_is_replaced_by_a_short_one(
    config: Config, tmp_path: Path
) -> None:
    short = place_of(replace(config, data_folder=Path("/srv/cnc")))
    long = place_of(replace(config, data_folder=tmp_path / ("x" * 120)))
    assert short.file.parent == Path("/srv/cnc/run")
    assert len(os.fsencode(long.file)) <= 100
    assert long.file.name == short.file.name
    assert place_of(replace(config, station="B")).file.name != short.file.name


async def test_a_station_that_closes_disconnects_its_clients(
    station: Station, config: Config, place: Place
) -> None:
    floor = await station()
    async with listening(config, floor.engine.door, place):
        remote = await connect(config, place)
        assert remote is not None
        await remote.ask(JobById(1))
    with pytest.raises(Unavailable, match="answer"):
        await remote.ask(JobById(1))
    await until(lambda: not place.file.exists())
    assert await connect(config, place) is None


@pytest.mark.usefixtures("floor")
async def test_too_many_clients_are_turned_away(
    config: Config, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CLIENTS", 1)
    async with connected(config, place) as first:
        await first.ask(JobById(1))
        async with connected(config, place) as second:
            with pytest.raises(Unavailable):
                await second.ask(JobById(1))
        assert await first.ask(JobById(1)) is None


@pytest.mark.usefixtures("floor")
async def test_wrong_fields_are_named(
    config: Config, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b'{"SubmitJobs":{"specs":[{"name":"A","quantity":"many"}]}}\n'
    monkeypatch.setattr(codec, "dump_request", lambda _: line)
    async with connected(config, place) as remote:
        with pytest.raises(InvalidInput) as refused:
            await remote.ask(JobById(1))
        assert refused.value.errors[0].field == "specs.0.quantity"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (
            b'{"JobById": {"job_id": 1, "job_id": 2}}\n',
            'request: has the key "job_id" twice',
        ),
        (
            b'{"SaveSettings": {"values": {"a": NaN}}}\n',
            "request: has NaN, which is not a number",
        ),
        (
            b'{"SaveSettings": {"values": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}}\n",
            "request: is nested deeper than 64 levels",
        ),
        (
            b'{"SaveSettings": {"values": {"a": ' + b"[" * 90 + b"]" * 90 + b"}}}\n",
            "values: is nested deeper than 64 levels",
        ),
        (
            b'{"SaveSettings": {"values": {"a": "\\u0000"}}}\n',
            "values: has a null character (U+0000) at character 1 of a",
        ),
        (
            b'{"SaveSettings": {"values": {"a": 1e999}}}\n',
            "values: has a number that is not finite as the value of a",
        ),
    ],
)
async def test_json_that_can_be_misread_is_refused_and_the_client_may_go_on(
    floor: FloorOf, place: Place, line: bytes, wrong: str
) -> None:
    reader, writer, token = await open_connection(place)
    hello = {"version": __version__, "operator": "Ada", "token": token}
    writer.write(json.dumps(hello).encode() + b"\n" + line)
    told = json.loads(await reader.readline())["error"]
    assert (told["kind"], told["message"]) == ("InvalidInput", wrong)
    writer.write(b'{"JobById": {"job_id": 1}}\n')
    assert json.loads(await reader.readline()) == {"answer": None}
    writer.close()
    assert await floor.door.ask(StoredSettings()) == {}


@pytest.mark.usefixtures("floor")
async def test_a_lone_surrogate_never_gets_in(place: Place) -> None:
    reader, writer, token = await open_connection(place)
    hello = {"version": __version__, "operator": "Ada", "token": token}
    request = b'{"SaveSettings": {"values": {"a": "\\ud800"}}}\n'
    writer.write(json.dumps(hello).encode() + b"\n" + request)
    assert json.loads(await reader.readline())["error"]["kind"] == "InvalidInput"
    writer.close()


@pytest.mark.usefixtures("floor")
async def test_a_client_may_not_act_under_a_name_that_misleads(place: Place) -> None:
    reader, writer, token = await open_connection(place)
    hello = {"version": __version__, "operator": "Ada\u202e", "token": token}
    writer.write(json.dumps(hello).encode() + b"\n")
    told = json.loads(await reader.readline())["error"]
    assert told["message"] == "operator: has a right-to-left override (U+202E) at character 4"
    writer.close()


async def open_connection(
    place: Place,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    if place.unix:
        return *await asyncio.open_unix_connection(place.file), ""
    port, token = read_port(place.file)
    return *await asyncio.open_connection("127.0.0.1", port), token


@pytest.mark.parametrize("size", [0, 1, 2, 3, 786_432, 2_000_001])
def test_the_content_of_a_file_travels_beside_its_request(size: int) -> None:
    asked = AddProgram("a.nc", (bytes(range(256)) * 8_000)[:size])
    line = codec.dump_request(asked)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert codec.load_request(line) == asked


@pytest.mark.parametrize("beside", [b"\x00*", b"\x00QQ", b"\x00QQ==QQ==", b"\x00\x00"])
def test_content_that_is_not_base64_is_refused(beside: bytes) -> None:
    line = codec.dump_request(AddProgram("a.nc", b"")).partition(b"\x00")[0]
    with pytest.raises(InvalidInput, match="request"):
        codec.load_request(line + beside + b"\n")


def test_a_request_of_too_many_objects_is_refused_before_it_is_checked() -> None:
    line = b'{"SubmitJobs":{"specs":[' + b'{"name":"a"},' * 20_000 + b"{}]}}\n"
    with pytest.raises(InvalidInput, match="larger than a request may be"):
        codec.load_request(line)
