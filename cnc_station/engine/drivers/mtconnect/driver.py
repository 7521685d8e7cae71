"""MTConnect: reads a machine through its agent, which keeps a buffer of numbered observations. The
state is read once (`current`), then all that follows without a gap (`sample`), also after a lost
connection as long as the buffer reaches back. A new `instanceId` means a restarted agent:
everything is read again."""

import asyncio
from contextlib import aclosing
from typing import Self
from urllib.parse import quote, urlsplit

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import DriverKind, number_between
from cnc_station.engine.drivers.dialects import DIALECT
from cnc_station.engine.drivers.mtconnect.client import Agent
from cnc_station.engine.drivers.mtconnect.documents import Device, Devices, Header, Refusal, Streams
from cnc_station.engine.drivers.mtconnect.layout import Layout, layout
from cnc_station.engine.drivers.mtconnect.picture import Picture
from cnc_station.engine.drivers.read_only import ABILITIES, SETTLE_S, ReadOnlyDriver
from cnc_station.engine.drivers.reported import Report
from cnc_station.engine.views import DriverInfo, Identity, Setting
from cnc_station.peers.pace import in_slices
from cnc_station.peers.values import text

INTERVAL_MS = 500
COUNT = 100
HEARTBEAT_S = 2.0
_MOST_NAMED = 20  # devices
_NO_DEVICE = "NO_DEVICE"
_OUT_OF_RANGE = "OUT_OF_RANGE"
_SCHEMES = ("http", "https")


class MTConnect(ReadOnlyDriver):
    """Implements `Driver`. `device`: its name or uuid; "" if the agent has only one."""

    def __init__(
        self,
        url: str,
        device: str = "",
        heartbeat_s: float = HEARTBEAT_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        super().__init__(settle_s)
        self._agent = Agent(url, heartbeat_s, self.wire)
        self._wanted = device
        self._heartbeat_s = heartbeat_s
        self._path = ""  # of the device
        self._picture = Picture(Layout({}, ()))
        self._instance = ""
        self._next = 0  # the first observation not read yet

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        url = str(settings.get("url") or "").strip()
        if "://" not in url:
            url = f"http://{url}"
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ValueError("the address must be like http://192.168.1.20:5000")
        heartbeat = str(settings.get("heartbeat") or HEARTBEAT_S)
        return cls(
            url.rstrip("/"),
            str(settings.get("device") or "").strip(),
            number_between(heartbeat, "the heartbeat", 0.1, 60, "seconds"),
        )

    async def _connect(self) -> Identity:
        """Read the probe, then the present state, or what was missed since the last connection."""
        header, device = await self._probe()
        if header.instance == self._instance and self._next:
            await self._catch_up()
        else:
            await self._sync()
        return _identity(header, device)

    async def _disconnect(self) -> None:
        await self._agent.close()

    async def _probe(self) -> tuple[Header, Device]:
        path = f"/{quote(self._wanted, safe='')}" if self._wanted else ""
        answer = await self._agent.ask(f"{path}/probe")
        if isinstance(answer, Refusal):
            raise Unavailable(_refused(answer, self._wanted))
        if isinstance(answer, Streams):
            raise Unavailable("the agent's answer to a probe is not a probe")
        device = _choose(answer, self._wanted)
        found = await asyncio.to_thread(layout, device)
        if not found.paths:
            raise Unavailable(
                f"{device.name} does not report its execution: CNC Station cannot use it"
            )
        self._path = f"/{quote(device.name, safe='')}"
        if answer.header.instance != self._instance or not self._next:
            self._picture = Picture(found)
        return answer.header, device

    async def _sync(self) -> None:
        """Read the present state, without what led to it."""
        answer = await self._agent.ask(f"{self._path}/current")
        if not isinstance(answer, Streams):
            raise Unavailable(_refused(answer, self._wanted))
        if self._instance:
            self._reports_lost()
        self._picture.forget()
        self._instance = answer.header.instance
        async for observation in in_slices(answer.observations):
            self._picture.take(observation)
        self._next = answer.header.next
        self._add_reports([self._picture.report()])

    async def _catch_up(self) -> None:
        """Read what was missed; only the present state if the buffer does not reach back."""
        while True:
            answer = await self._agent.ask(self._sample())
            if isinstance(answer, Refusal):
                await self._recover(answer)
                return
            if isinstance(answer, Devices):
                raise Unavailable(_refused(answer, self._wanted))
            before = self._next
            await self._take_observations(answer)
            if self._next == before or not answer.observations:
                self._add_reports([self._picture.report()])
                return

    async def _receive(self) -> None:
        """Read the stream, and open it again each time it ends, until one contains nothing."""
        while await self._listen():
            pass
        raise Unavailable("the agent closes each connection at once")

    async def _listen(self) -> bool:
        """Read one stream. Return whether it contained anything."""
        heartbeat = int(self._heartbeat_s * 1000)
        interval = min(INTERVAL_MS, heartbeat)
        brought = False
        path = f"{self._sample()}&interval={interval}&heartbeat={heartbeat}"
        async with aclosing(self._agent.stream(path)) as answers:
            async for answer in answers:
                if isinstance(answer, Refusal):
                    await self._recover(answer)
                    return True
                if answer.header.instance != self._instance:
                    await self._probe()
                    await self._sync()
                    return True
                await self._take_observations(answer)
                brought = True
        return brought

    async def _recover(self, refusal: Refusal) -> None:
        """Recover from a missing observation: a buffer overrun, or a restarted agent."""
        if refusal.code != _OUT_OF_RANGE:
            raise Unavailable(_refused(refusal, self._wanted))
        await self._probe()
        await self._sync()

    def _sample(self) -> str:
        return f"{self._path}/sample?from={self._next}&count={COUNT}"

    async def _take_observations(self, answer: Streams) -> None:
        reports: list[Report] = []
        async for observation in in_slices(answer.observations):
            if self._picture.take(observation):
                reports.append(self._picture.report())
            if len(reports) > COUNT:
                self._add_reports(reports)
                reports = []
        self._next = answer.header.next or self._next
        if reports:
            self._add_reports(reports)


def _choose(answer: Devices, wanted: str) -> Device:
    names = text(", ".join(device.name for device in answer.devices[:_MOST_NAMED]), 300)
    if not answer.devices:
        raise Unavailable("the agent has no device")
    if wanted:
        for device in answer.devices:
            if wanted in {device.name, device.uuid}:
                return device
        raise Unavailable(f"the agent has no device called {wanted!r}; it has {names}")
    if len(answer.devices) > 1:
        raise Unavailable(f"the agent has several devices, name one in the settings: {names}")
    return answer.devices[0]


def _refused(answer: Refusal | Devices, device: str) -> str:
    if isinstance(answer, Devices):
        return "the agent answers with a probe instead of observations"
    if answer.code == _NO_DEVICE:
        return f"the agent has no device called {device!r}: {answer.words}"
    return f"the agent refuses ({answer.code or 'no code'}): {answer.words}"


def _identity(header: Header, device: Device) -> Identity:
    details = (
        ("Device", device.name),
        ("Maker", device.maker),
        ("Model", device.model),
        ("Serial number", device.serial),
        ("Identifier", device.uuid),
    )
    agent = f"MTConnect agent {header.version}".strip()
    return Identity(agent, tuple((label, found) for label, found in details if found))


KIND = DriverKind(
    DriverInfo(
        "mtconnect",
        "MTConnect (read-only)",
        settings=(
            Setting("url", "Address", "", "http://192.168.1.20:5000", wanted=True),
            Setting("device", "Device", "", "its name; leave empty if the agent has only one"),
            Setting(
                "heartbeat",
                "Heartbeat (s)",
                f"{HEARTBEAT_S:g}",
                "the interval at which an idle agent must answer",
            ),
            DIALECT,
        ),
        abilities=ABILITIES,
    ),
    MTConnect.make,
)
