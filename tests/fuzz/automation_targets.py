"""What is fuzzed of jobs without a machine: rules, payloads, commands, and answers over HTTP."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from cnc_station.engine.domain import cron, ecmascript_json, json_text
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import Schedule, firings, next_times, warnings
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.handlers import allowed_commands
from cnc_station.engine.handlers.base import HandlerContext
from cnc_station.engine.handlers.linear_pattern import TooMuchWork, Work
from cnc_station.engine.handlers.output import Output
from cnc_station.engine.handlers.shell import ShellCommand
from cnc_station.engine.handlers.webhook import HttpWebhook
from cnc_station.engine.outgoing_http import HttpRequest, OutgoingHttp
from tests.fuzz.http_target import loop

ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca", "UTC")
NOW = 1_774_700_000_000  # the day before the clock changes in Berlin
KEEP = 4_096
ANSWER_S = 0.5
_JOB = JobSpec("clean", handler="test.echo")


def schedule(data: bytes) -> None:
    """A cron rule, and a time zone behind a bar."""
    rule, _, zone = data.decode("utf-8", "surrogateescape").partition("|")
    made = Schedule("nightly", rule, zone or ZONES[len(rule) % len(ZONES)], _JOB).validated()
    assert made.rule.words.isprintable()
    times = [due.at for due in next_times(made, NOW)]
    assert times == sorted(set(times))
    for sentence in itertools.islice(warnings(made, NOW), 20):
        assert sentence.isprintable()
    firings(made, 1, NOW - 86_400_000, NOW)


def due_times(data: bytes) -> None:
    """Two days of a rule: no time comes twice or out of order."""
    with suppress(cron.NotARule):
        rule = cron.Cron(data.decode("latin-1"))
        zone = ZoneInfo(ZONES[len(data) % len(ZONES)])
        times = [due.at for due in itertools.islice(rule.after(NOW, zone), 200)]
        assert times == sorted(set(times))


def payload(data: bytes) -> None:
    """The payload of a job, as its handlers and a webhook's receiver get it."""
    try:
        value = json_text.parse(data)
    except ValueError as error:
        words = str(error)
    else:
        words = ""
        _used(value)
    assert visible(words) == words


def _used(value: object) -> None:
    ecmascript_json.dump(value)
    if isinstance(value, dict):
        for handler in _handlers():
            tuple(handler.check(value))
        JobSpec("job", handler="test.echo", payload=value).validated()


@cache
def _handlers() -> Sequence[ShellCommand | HttpWebhook]:
    http = OutgoingHttp()

    async def nothing() -> dict[str, int]:
        return {}

    context = HandlerContext(Path("/nonexistent"), None, 300.0, http, nothing)
    return ShellCommand(context), HttpWebhook(http)


def output(data: bytes) -> None:
    """What a command prints, in pieces."""
    kept = Output(100)
    for begin in range(0, len(data), 37):
        kept.write(data[begin : begin + 37])
    told = kept.kept()
    assert told.size == len(data)
    assert "\x00" not in told.text
    told.text.encode()


def command_list(data: bytes) -> None:
    """The file of allowed commands."""
    with suppress(ValueError):
        entries = allowed_commands.parse(data.decode())
        for entry in entries:
            with suppress(TooMuchWork):
                entry.refusal(["-a", "/srv/nc/a/"], "/srv", {"MARK": "1"}, Work(10_000))


class _FalseServer:
    """Answers each connection with the bytes of the moment, in a thread of its own."""

    def __init__(self) -> None:
        self.answer = b""
        self.port = 0
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait()

    async def _serve(self) -> None:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answer)
                writer.write_eof()
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(reply, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await asyncio.Event().wait()


@cache
def _false_server() -> _FalseServer:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    return _FalseServer()


@cache
def _client() -> OutgoingHttp:
    return OutgoingHttp()


def http_answer(data: bytes) -> None:
    """What the receiver of a webhook answers, over a real connection."""
    server = _false_server()
    server.answer = data
    request = HttpRequest("GET", f"http://127.0.0.1:{server.port}/", timeout_s=ANSWER_S)
    answer = loop().run_until_complete(_client().send(request, keep=KEEP))
    assert len(answer.body) <= KEEP


CRON_SEEDS = (
    b"*/15 2-4 * * 1-5|Europe/Berlin",
    b"30 2 29 2 *",
    b"0 0 L * FRI#2|Australia/Lord_Howe",
    b"@hourly|America/New_York",
    b"5,35 0-23/2 1-7 JAN-MAR MON|UTC",
)
CRON_TOKENS = (b"*", b"/", b"-", b",", b"L", b"#", b"W", b"?", b"60", b"@daily", b"|", b" ", b"../")
PAYLOAD_SEEDS = (
    b'{"url":"https://erp.example/jobs?x=1","method":"PUT","headers":{"X-A":"b"},"json":{"a":[1]}}',
    b'{"command":"/usr/bin/rsync","args":["-a","/srv/nc/x/"],"cwd":"/srv","env":{"A":"b"}}',
    b'{"a":[1,2.5e3,null,true,{"b":"\\ud83d\\ude00"}],"timeout":3,"success":["2xx",404]}',
)
OUTPUT_SEEDS = (
    "größer\n\x1b[31mred\x1b[0m \U0001f600".encode(),
    b"a\r\nb" * 40,
    b"\xf0\x9f\x98" * 60,
)
LIST_SEEDS = (
    b'[[command]]\npath = "/usr/bin/rsync"\nargs = ["-a", "/srv/nc/[a-z]+/"]\nenv = ["MARK"]\n',
    b'[[command]]\npath = "/bin/true"\nmore_args = ".*"\ntimeout_s = 5\nfolders = ["/srv"]\n',
)
ANSWER_SEEDS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok",
    b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08" + bytes(6) + b"\x03K\xcf\x07",
    b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nConnection: close\r\n\r\n",
)
ANSWER_TOKENS = (
    b"\r\n",
    b"HTTP/1.1 ",
    b": ",
    b"chunked",
    b"deflate",
    b"100 Continue",
    b"Set-Cookie",
)
