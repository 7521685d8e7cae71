"""What is fuzzed. A target takes any bytes, and raises only the errors of CNC Station."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from cnc_station import config
from cnc_station.engine.domain import nc
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.import_fields import guess_mapping
from cnc_station.engine.domain.nc.set_up import set_up
from cnc_station.engine.domain.notice import MOST_EVENTS
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.drivers.grbl import modes, reports
from cnc_station.engine.drivers.grbl.controller import Controller
from cnc_station.engine.drivers.grbl.settings import DEFAULT
from cnc_station.engine.drivers.grbl.settings import Settings as GrblSettings
from cnc_station.engine.drivers.linuxcnc.snapshot import Snapshot, asked
from cnc_station.engine.drivers.mtconnect.documents import Devices, Streams, parse
from cnc_station.engine.drivers.mtconnect.layout import layout
from cnc_station.engine.drivers.mtconnect.picture import Picture as Agent
from cnc_station.engine.drivers.opcua.picture import CHANNEL, WATCHED, Alert, Value, channel_value
from cnc_station.engine.drivers.opcua.picture import Picture as Server
from cnc_station.engine.drivers.publisher import StatusPublisher, Traffic
from cnc_station.engine.services.table_file import Unreadable, read_table
from cnc_station.engine.signals import messages
from cnc_station.engine.signals.parser import BoundedParser
from cnc_station.engine.views import Doing, Status
from cnc_station.local_socket import codec
from cnc_station.setting_readers import READERS
from tests.fuzz import automation_targets as automation
from tests.fuzz import http_target
from tests.fuzz.http_target import loop
from tests.peers import protocols

Target = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A target with proper inputs, and words that mean something to it."""

    target: Target
    seeds: Sequence[bytes]
    tokens: Sequence[bytes]


def nc_program(data: bytes) -> None:
    nc.read(data, limits=nc.Limits(max_repeated_blocks=500))
    set_up(data.decode("latin-1"))


def table(data: bytes) -> None:
    with suppress(Unreadable):
        guess_mapping(read_table(data).columns)


def grbl_reports(data: bytes) -> None:
    text = data.decode("ascii", "replace")
    for line in text.splitlines():
        report = reports.report(line.strip())
        if report is not None:
            picture = reports.Picture()
            picture.take(report)
            _published(Status(Doing.READY, why=line, x=(picture.place or (None,))[0]))
        reports.welcome(line)
        reports.setting(line)
    reports.make(text.splitlines(), None)
    modes.parser_state(text.splitlines())
    modes.offsets(text.splitlines())


def grbl_controller(data: bytes) -> None:
    async def receive() -> None:
        controller = Controller(GrblSettings("127.0.0.1", 1), DEFAULT, _Ignoring(), Traffic())
        for begin in range(0, len(data), 64):
            controller.data_received(data[begin : begin + 64])
        assert "internal" not in controller.lost_reason, controller.lost_reason

    loop().run_until_complete(receive())


class _Ignoring:
    def answered(self, code: int) -> None: ...
    def batch_received(self) -> None: ...
    def reported(self, report: reports.Report) -> None: ...
    def alarmed(self, code: int) -> None: ...
    def unknown_line(self) -> None: ...
    def was_reset(self) -> None: ...
    def lost(self, reason: str) -> None: ...


def linuxcnc(data: bytes) -> None:
    words = asked(3, spindle=True)
    answers = data.decode("utf-8", "replace").split("\n")
    answers += ["NAK"] * (len(words) - len(answers))
    with suppress(ValueError):  # of answers to other questions: they are asked again
        seen = Snapshot.read(tuple(zip(words, answers[: len(words)], strict=True)), 1.0)
        _published(Status(Doing.READY, seen.message, program=seen.program, line=seen.line))


def mtconnect(data: bytes) -> None:
    document = parse(data)
    if isinstance(document, Devices):
        for device in document.devices:
            layout(device)
    elif isinstance(document, Streams):
        picture = Agent(_LAYOUT)
        for observation in document.observations:
            picture.take(observation)
        _published(picture.report().status())


def opcua(data: bytes) -> None:
    picture = Server()
    names = [*WATCHED, *(channel_value("1", name) for name in CHANNEL)]
    for at, piece in enumerate(data.split(b"|")):
        picture.take(Value(names[at % len(names)], _value(piece)))
        picture.take(Alert(str(at % 5), piece.decode("latin-1"), "", at % 2 == 0))
        if at % 7 == 0:
            picture.report()
    _published(picture.report().status())


def _value(piece: bytes) -> object:
    text = piece.decode("latin-1")
    match text[:1]:
        case "i":
            return int.from_bytes(piece[1:], "little", signed=True)
        case "f":
            with suppress(ValueError):
                return float(text[1:])
        case "b":
            return len(text) % 2 == 0
        case "l":
            return [text, piece, None]
        case "n":
            return None
    return text


def redis_messages(data: bytes) -> None:
    notice = messages.notice(data)
    assert len(notice.events) <= MOST_EVENTS
    messages.telemetry(data)


def redis_answers(data: bytes) -> None:
    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        parser = BoundedParser(4096)
        parser.on_connect(_RedisConnection(reader))  # type: ignore[no-untyped-call]
        for _ in range(20):
            await parser.read_response()

    from redis.exceptions import RedisError  # noqa: PLC0415 - as the program does

    with suppress(RedisError):
        loop().run_until_complete(read())


class _RedisConnection:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        from redis.asyncio import Redis  # noqa: PLC0415 - as above

        self._reader = reader
        self.encoder = Redis().get_encoder()  # type: ignore[no-untyped-call]


def settings(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape").replace("\x00", "")
    names = sorted(READERS)
    environ = {
        config.PREFIX + names[crc32(line.encode(errors="replace")) % len(names)].upper(): line
        for line in text.splitlines()
    }
    with suppress(CncStationError):
        config.load(environ | {"CNC_CONFIG": "/nonexistent"})
    _TOML_FILE.write_bytes(data)
    config.load({}, _TOML_FILE)


_FOLDER = tempfile.TemporaryDirectory()
_TOML_FILE = Path(_FOLDER.name) / "cnc-station.toml"


def request(data: bytes) -> None:
    codec.load_request(data)


def answer(data: bytes) -> None:
    from cnc_station.engine.queries import ListMachines  # noqa: PLC0415 - read once

    with suppress(RuntimeError):  # what a station reports as a bug of its own
        codec.load_answer(ListMachines(), data)


def _published(status: Status) -> None:
    publisher = StatusPublisher()
    publisher.publish(status)
    told = publisher.status()
    assert visible(told.why, lines=True) == told.why
    assert visible(told.program) == told.program


def _body(http: bytes) -> bytes:
    return http.partition(b"\r\n\r\n")[2]


_PROBE = _body(protocols.MTCONNECT.proper(b"/probe"))
_CURRENT = _body(protocols.MTCONNECT.proper(b"/current"))
_DEVICES = parse(_PROBE)
assert isinstance(_DEVICES, Devices)
_LAYOUT = layout(_DEVICES.devices[0])
_PROGRAMS = (
    b"%\nO1 (PART)\nG21 G17 G90 G54\nT1 M6\nS2000 M3\nG0 X0 Y0\nG1 Z-1 F100\nG2 X10 Y0 I5\nM30\n",
    b"G21 G90\nG0 Z5\nG81 X1 Y1 Z-3 R2 F80\nX5\nG80\nM5\nM30\n%\n",
    b"#1=[1+2*SIN[30]]\no100 while [#1 LT 5]\n#1=[#1+1]\nG1 X#1 F100\no100 endwhile\nM2\n",
    b"M98 P10 L3\nM30\nO10\nG91 G1 X1 F50\nM99\n",
)
_GRBL = (
    *(protocols.GRBL.proper(word) for word in (b"", b"?", b"$I\n", b"$$\n", b"$#\n", b"$G\n")),
    b"<Run|MPos:43.804,-25.724,22.072|FS:3048,1000|Ov:100,100,100|Bf:15,128|Ln:7>\r\nok\r\nALARM:1\r\n",
    b"[AXS:4:XYZA]\r\n[OPT:VNML+,100,1024,4,0]\r\n[FIRMWARE:grblHAL]\r\nok\r\n",
)
_EVENT = (
    b'{"from":"x","body":{"columns":[["held"],["A"],[3],[5],[2],[""],["held"],["held"],["held"],'
    b"[null],[null],[false]],"
    b'"missed":false}}'
)
_TELEMETRY = b'{"from":"x","body":{"7":{"line":3,"x":1.5,"fraction":0.5,"remaining_s":9,"part":1}}}'
_TABLES = (
    b"name;machine type;priority;due;quantity\nbracket;mill;5;2026-12-22;3\nplate;lathe;1;;1\n",
    b'name,program,payload\na,x.nc,"{""k"": [1, 2]}"\n',
    b"PK\x03\x04",
    b"\xff\xfen\x00a\x00m\x00e\x00\n\x00a\x00\n\x00",
)
_WORDS = (b"G2", b"G41", b"#[#1]", b"o1 sub\n", b"M98", b"/", b"[", b"**", b"(", b"\n")
_CELLS = (b";", b",", b"\t", b'"', b"\n", b"=1+1", b"due", b"PK\x03\x04", b"2026-02-30", b"1,5")
_ANSWERS = (b"ok\r\n", b"error:20", b"<Alarm|", b"|WCO:", b"[MSG:", b"|Ov:", b"$13=1", b"[G92:")
_TOML = (
    b'station = "Hall 1"\nlease_s = 30\ntheme = "dark"\nhealth_port = 8460\n',
    b"postgresql://u:p@db:5432/cnc?sslmode=verify-full\nredis://:p@r:6379/0\nEurope/Berlin\n",
)
_JSON = (
    b'":',
    b"[]",
    b"{}",
    b"1",
    b"9" * 20,
    b'"held"',
    b'"columns"',
    b'"missed"',
    b"null",
    b"NaN",
)
_XML = (b"<a>", b"</a>", b"<Fault ", b'dataItemId="e"', b"ACTIVE", b"UNAVAILABLE", b"<!DOCTYPE x>")

TARGETS: dict[str, Fuzzed] = {
    "nc": Fuzzed(
        nc_program,
        _PROGRAMS,
        _WORDS,
    ),
    "tables": Fuzzed(table, _TABLES, _CELLS),
    "grbl": Fuzzed(grbl_controller, _GRBL, _ANSWERS),
    "grbl reports": Fuzzed(grbl_reports, _GRBL, _ANSWERS),
    "linuxcnc": Fuzzed(
        linuxcnc,
        (b"\n".join(protocols.snapshot_answers()),),
        (b"NAK", b"ON", b"OFF", b"IDLE", b"RUNNING", b"\n", b"G20", b"F100", b"0 1.0"),
    ),
    "mtconnect": Fuzzed(mtconnect, (_PROBE, _CURRENT), _XML),
    "opcua": Fuzzed(
        opcua, (b"i\x01|plate.nc|i\x05|i\x01|n|n|b|f100.0|i\x00",), (b"i", b"f", b"|", b"l")
    ),
    "redis messages": Fuzzed(redis_messages, (_EVENT, _TELEMETRY), _JSON),
    "redis answers": Fuzzed(
        redis_answers,
        (
            b"+OK\r\n",
            b"*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$1\r\nx\r\n",
            b"-ERR no\r\n:7\r\n*-1\r\n",
        ),
        (b"*", b"$", b":", b"\r\n", b"-1", b"999999999"),
    ),
    "config": Fuzzed(settings, _TOML, (b"=", b"\n", b"[x]", b"://", b"@", b"?", b"nan", b"inf")),
    "http": Fuzzed(http_target.http, http_target.SEEDS, http_target.TOKENS),
    "local requests": Fuzzed(
        request, (b'{"JobById":{"job_id":7}}', b'{"ListMachines":{}}'), (*_JSON, b'"HoldRun"')
    ),
    "local answers": Fuzzed(
        answer,
        (b'{"answer":[]}', b'{"error":{"kind":"Conflict","message":"no"}}'),
        (*_JSON, b'"kind"'),
    ),
    "schedules": Fuzzed(automation.schedule, automation.CRON_SEEDS, automation.CRON_TOKENS),
    "due times": Fuzzed(automation.due_times, automation.CRON_SEEDS, automation.CRON_TOKENS),
    "payloads": Fuzzed(automation.payload, automation.PAYLOAD_SEEDS, _JSON),
    "command lists": Fuzzed(automation.command_list, automation.LIST_SEEDS, (b"[", b"=", b"path")),
    "output": Fuzzed(automation.output, automation.OUTPUT_SEEDS, (b"\xf0\x9f", b"\x00", b"\x1b[")),
    "http answers": Fuzzed(
        automation.http_answer, automation.ANSWER_SEEDS, automation.ANSWER_TOKENS
    ),
}
