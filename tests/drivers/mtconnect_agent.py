"""An MTConnect agent for tests, on a loopback port, that can misbehave.

No agent can be installed from a registry (the one Python package of that name serves no HTTP). This
one is written from the MTConnect standard (Part 1: requests, buffer, errors, streaming; Parts 2 and
3: devices and observations) and from recorded answers of real agents: multipart bodies with
Content-length, an empty document as a heartbeat, UNAVAILABLE as a value of anything, 404 with
NO_DEVICE, OUT_OF_RANGE for what the buffer does not contain, the version in the namespace. Streams
come as the MTConnect Institute's own agent sends them (according to its published source): the type
is multipart/x-mixed-replace, a semicolon ends Content-length and no line break ends a part. With
`tidy` they come as in e-mail.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

BOUNDARY = "a1b2c3d4e5"
WHEN = 'timestamp="2026-01-01T00:00:00Z"'
# id, category, type, subtype, element: what a small mill reports.
ITEMS = {
    "avail": ("EVENT", "AVAILABILITY", "", "Availability"),
    "estop": ("EVENT", "EMERGENCY_STOP", "", "EmergencyStop"),
    "mode": ("EVENT", "CONTROLLER_MODE", "", "ControllerMode"),
    "exec": ("EVENT", "EXECUTION", "", "Execution"),
    "pgm": ("EVENT", "PROGRAM", "", "Program"),
    "count": ("EVENT", "PART_COUNT", "ALL", "PartCount"),
    "target": ("EVENT", "PART_COUNT", "TARGET", "PartCount"),
    "line": ("EVENT", "LINE_NUMBER", "ABSOLUTE", "LineNumber"),
    "tool": ("EVENT", "TOOL_NUMBER", "", "ToolNumber"),
    "pos": ("SAMPLE", "PATH_POSITION", "ACTUAL", "PathPosition"),
    "feed": ("SAMPLE", "PATH_FEEDRATE", "ACTUAL", "PathFeedrate"),
    "fovr": ("EVENT", "PATH_FEEDRATE_OVERRIDE", "PROGRAMMED", "PathFeedrateOverride"),
    "purpose": ("EVENT", "FUNCTIONAL_MODE", "", "FunctionalMode"),
    "dry": ("EVENT", "CONTROLLER_MODE_OVERRIDE", "DRY_RUN", "ControllerModeOverride"),
    "lock": ("EVENT", "CONTROLLER_MODE_OVERRIDE", "MACHINE_AXIS_LOCK", "ControllerModeOverride"),
    "single": ("EVENT", "CONTROLLER_MODE_OVERRIDE", "SINGLE_BLOCK", "ControllerModeOverride"),
    "optional": ("EVENT", "CONTROLLER_MODE_OVERRIDE", "OPTIONAL_STOP", "ControllerModeOverride"),
    "zlock": ("EVENT", "x:ZAxisLock", "", "ZAxisLock"),  # as a vendor may do
    "exec2": ("EVENT", "EXECUTION", "", "Execution"),
    "pgm2": ("EVENT", "PROGRAM", "", "Program"),
    "dry2": ("EVENT", "CONTROLLER_MODE_OVERRIDE", "DRY_RUN", "ControllerModeOverride"),
}
CONDITION = "system"
_ON_CONTROLLER = ("estop", "mode", "purpose")
_ON_SECOND_PATH = ("exec2", "pgm2", "dry2")


@dataclass(frozen=True, slots=True)
class Said:
    """One observation in the buffer."""

    sequence: int
    item: str
    element: str
    value: str
    code: str = ""


class FakeAgent:
    """Use `async with FakeAgent() as agent:`; then `say`, `fault`, `restart`, `silent = True`, …"""

    def __init__(
        self,
        devices: tuple[str, ...] = ("MILL-1",),
        buffer: int = 1000,
        version: str = "1.3",
        *,
        tidy: bool = False,
        two_paths: bool = False,
    ) -> None:
        self.two_paths = two_paths
        self.tidy = tidy
        self.devices = devices
        self.version = version
        self.instance = 1000
        self.silent = False  # sends nothing more, not even heartbeats, and keeps connections open
        self.rubbish: bytes | None = None  # sent in place of the next document
        self.cut_next = False  # the next part stops halfway and the connection ends
        self.ends_after: int | None = None  # parts of each stream
        self.streams = 0  # the number requested
        self._buffer: deque[Said] = deque(maxlen=buffer)
        self._next = 1
        self._state: dict[str, Said] = {}
        self._faults: dict[str, Said] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._said = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        there = [item for item in ITEMS if two_paths or item not in _ON_SECOND_PATH]
        self.say(**dict.fromkeys(there, "UNAVAILABLE"))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    # --- what the machine does ---------------------------------------------------------------

    def say(self, **values: str) -> None:
        """Add observations, in this order: say(exec="ACTIVE", pgm="plate.nc")."""
        for item, value in values.items():
            said = self._number(item, ITEMS[item][3], value)
            self._state[item] = said

    def ready(self, program: str = "", count: int = 0) -> None:
        """Switch the machine on, in automatic mode, without faults."""
        self.say(avail="AVAILABLE", estop="ARMED", mode="AUTOMATIC", exec="READY")
        self.say(pgm=program or "UNAVAILABLE", count=str(count), target="500")

    def fault(self, words: str, code: str) -> None:
        self._faults[code] = self._number(CONDITION, "Fault", words, code)

    def normal(self) -> None:
        """Clear all faults."""
        self._faults.clear()
        self._number(CONDITION, "Normal", "")

    def _number(self, item: str, element: str, value: str, code: str = "") -> Said:
        said = Said(self._next, item, element, value, code)
        self._next += 1
        self._buffer.append(said)
        self._said.set()
        self._said = asyncio.Event()
        return said

    # --- what the agent does -----------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.down()

    async def up(self) -> None:
        """Start on the same port as before."""
        app = web.Application()
        app.router.add_get("/{request}", self._answer)
        app.router.add_get("/{device}/{request}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        host = self._runner.addresses[0]
        self._port = int(host[1])

    async def down(self) -> None:
        """Cut all connections, as when its computer is switched off."""
        for task in self._answering:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """Become a new agent: new instance, empty buffer, sequence from 1, the machine
        unchanged."""
        await self.down()
        self.instance += 1
        self._next = 1
        self._buffer.clear()
        self.say(**{item: said.value for item, said in self._state.items()})
        await self.up()

    # --- answers -----------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        device = request.match_info.get("device")
        if device is not None and device not in self.devices:
            return self._refuse("NO_DEVICE", f"Could not find the device '{device}'")
        asked = request.match_info["request"]
        if asked == "probe":
            return self._document(self._probe(device))
        if asked == "current":
            return self._document(self._streams(self._now(), self._next))
        if asked == "sample":
            return await self._sample(request)
        return self._refuse("UNSUPPORTED", f"'{asked}' is not supported")

    async def _sample(self, request: web.Request) -> web.StreamResponse:
        start = int(request.query.get("from", self._first()))
        count = int(request.query.get("count", 100))
        maxlen = self._buffer.maxlen or 0
        if not self._first() <= start <= self._next or not 0 < count <= maxlen:
            words = f"'from' must be between {self._first()} and {self._next}"
            return self._refuse("OUT_OF_RANGE", words)
        if "interval" not in request.query:
            return self._document(self._chunk(start, count)[0])
        return await self._stream(request, start, count)

    async def _stream(self, request: web.Request, start: int, count: int) -> web.StreamResponse:
        self.streams += 1
        heartbeat = int(request.query["heartbeat"]) / 1000
        response = web.StreamResponse()
        kind = "multipart/mixed; " if self.tidy else "multipart/x-mixed-replace;"
        response.headers["Content-Type"] = f"{kind}boundary={BOUNDARY}"
        await response.prepare(request)
        task = asyncio.create_task(self._send(response, start, count, heartbeat))
        self._answering.add(task)
        try:
            with suppress(asyncio.CancelledError, ConnectionError):
                await asyncio.wait([task])
        finally:
            task.cancel()
            self._answering.discard(task)
        if request.transport is not None and self.ends_after is None:
            request.transport.abort()
        return response

    async def _send(
        self, response: web.StreamResponse, start: int, count: int, heartbeat: float
    ) -> None:
        sent = 0
        while self.ends_after is None or sent < self.ends_after:
            said = self._said
            if start == self._next:
                with suppress(TimeoutError):
                    await asyncio.wait_for(said.wait(), heartbeat)
            if self.silent:
                await asyncio.sleep(0.01)
                continue
            if start < self._first():
                return  # fell too far behind
            body, start = self._chunk(start, count)
            part = self._part(body)
            if self.cut_next:
                self.cut_next = False
                await response.write(part[: len(part) // 2])
                return
            await response.write(part)
            sent += 1

    def _part(self, body: bytes) -> bytes:
        if self.rubbish is not None:
            body, self.rubbish = self.rubbish, None
        head = f"--{BOUNDARY}\r\nContent-type: text/xml\r\nContent-length: {len(body)}"
        if self.tidy:
            return head.encode() + b"\r\n\r\n" + body + b"\r\n"
        return head.encode() + b";\r\n\r\n" + body

    def _document(self, body: bytes, status: int = 200) -> web.Response:
        if self.rubbish is not None:
            body, self.rubbish = self.rubbish, None
        return web.Response(body=body, status=status, content_type="text/xml")

    def _refuse(self, code: str, words: str) -> web.Response:
        error = f"<Errors><Error errorCode={quoteattr(code)}>{escape(words)}</Error></Errors>"
        return self._document(self._wrap("Error", error), 404)

    # --- documents ---------------------------------------------------------------------------

    def _first(self) -> int:
        return self._buffer[0].sequence if self._buffer else self._next

    def documents(self) -> tuple[bytes, bytes]:
        """What it answers to a probe, and what its present state is."""
        return self._probe(None), self._streams(self._now(), self._next)

    def _now(self) -> list[Said]:
        return [*self._state.values(), *self._faults.values()]

    def _chunk(self, start: int, count: int) -> tuple[bytes, int]:
        found = [said for said in self._buffer if said.sequence >= start][:count]
        after = found[-1].sequence + 1 if found else start
        return self._streams(found, after), after

    def _wrap(self, kind: str, inside: str, after: int | None = None) -> bytes:
        places = ""
        if after is not None:
            places = (
                f' nextSequence="{after}" firstSequence="{self._first()}"'
                f' lastSequence="{self._next - 1}"'
            )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<MTConnect{kind} xmlns="urn:mtconnect.org:MTConnect{kind}:{self.version}">'
            f'<Header creationTime="2026-01-01T00:00:00Z" sender="fake" version="{self.version}"'
            f' instanceId="{self.instance}" bufferSize="{self._buffer.maxlen}"{places}/>'
            f"{inside}</MTConnect{kind}>"
        ).encode()

    def _streams(self, found: list[Said], after: int) -> bytes:
        if not found:
            return self._wrap("Streams", "<Streams/>", after)
        inside = {"EVENT": "", "SAMPLE": "", "CONDITION": ""}
        # Grouped by category, as agents do: document order is not the order of events.
        for said in found:
            attributes = f'dataItemId="{said.item}" sequence="{said.sequence}" {WHEN}'
            if said.item == CONDITION:
                category = "CONDITION"
                attributes += f' type="SYSTEM" nativeCode={quoteattr(said.code)}'
            else:
                category = ITEMS[said.item][0]
            inside[category] += (
                f"<{said.element} {attributes}>{escape(said.value)}</{said.element}>"
            )
        return self._wrap(
            "Streams",
            f'<Streams><DeviceStream name="{self.devices[0]}" uuid="u-{self.devices[0]}">'
            '<ComponentStream component="Path" name="path" componentId="p1">'
            f"<Samples>{inside['SAMPLE']}</Samples><Events>{inside['EVENT']}</Events>"
            f"<Condition>{inside['CONDITION']}</Condition></ComponentStream></DeviceStream></Streams>",
            after,
        )

    def _probe(self, device: str | None) -> bytes:
        names = self.devices if device is None else (device,)
        return self._wrap("Devices", f"<Devices>{''.join(map(self._device, names))}</Devices>")

    def _device(self, name: str) -> str:
        def item(found: str) -> str:
            category, kind, sub_type, _ = ITEMS[found]
            sub = f' subType="{sub_type}"' if sub_type else ""
            return f'<DataItem id="{found}" category="{category}" type="{kind}"{sub}/>'

        elsewhere = (*_ON_CONTROLLER, *_ON_SECOND_PATH, "avail")
        path = "".join(map(item, [one for one in ITEMS if one not in elsewhere]))
        second = ""
        if self.two_paths:
            items = "".join(map(item, _ON_SECOND_PATH))
            second = f'<Path id="p2" name="path2"><DataItems>{items}</DataItems></Path>'
        return (
            f'<Device id="d-{name}" name="{name}" uuid="u-{name}">'
            '<Description manufacturer="Acme" model="VMC-500" serialNumber="4711"/>'
            f"<DataItems>{item('avail')}</DataItems><Components>"
            f'<Controller id="c1" name="controller"><DataItems>{"".join(map(item, _ON_CONTROLLER))}'
            f'<DataItem id="{CONDITION}" category="CONDITION" type="SYSTEM"/></DataItems>'
            f'<Components><Path id="p1" name="path"><DataItems>{path}</DataItems></Path>'
            f"{second}</Components></Controller></Components></Device>"
        )
