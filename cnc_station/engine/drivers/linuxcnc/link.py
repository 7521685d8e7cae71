"""The connection to one controller: polled at intervals, and used for commands."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import NotReady
from cnc_station.engine.drivers.linuxcnc.client import ATTEMPTS, NAK, Client, Refused
from cnc_station.engine.drivers.linuxcnc.settings import Settings
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, MESSAGES, MM_IN, Snapshot, asked
from cnc_station.engine.drivers.publisher import Traffic, bounded_identity
from cnc_station.engine.views import Identity
from cnc_station.peers.values import text

BUSY_S = 0.02  # poll interval while something is waited for
CALM_S = 0.5  # poll interval while no run of this station is active
CONFIRMED_S = 10.0  # time limit for the effect of a command
TAKEN_S = 10.0  # how long this session takes no control after another session took it


T = TypeVar("T")


class Link:
    """Polls the controller and passes each snapshot to `on_snapshot`. When the connection is lost
    it calls `on_loss` once; all methods then raise Unavailable. Only one session has control: this
    one takes it for a command, and returns it on request."""

    def __init__(
        self,
        settings: Settings,
        traffic: Traffic,
        on_snapshot: Callable[[Snapshot], Awaitable[None]],
        on_loss: Callable[[Unavailable], None],
    ) -> None:
        self.in_control = False
        self.busy = False  # whether to poll at the interval of the settings
        self.controller = ""  # which controller answers: its name, configuration and unit
        self._settings = settings
        self._on_snapshot = on_snapshot
        self._on_loss = on_loss
        self._asked = asked(settings.joints)
        self._traffic = traffic
        self._client: Client | None = None
        self._poller: asyncio.Task[None] | None = None
        self._busy_changed = asyncio.Event()
        self._mm = 1.0
        self._wait_keyword = ""
        self._taken_at = -TAKEN_S

    @property
    def taken(self) -> bool:
        """Whether another session has just taken control."""
        return asyncio.get_running_loop().time() - self._taken_at < TAKEN_S

    def allow_control(self) -> None:
        """Take control again: a person has confirmed that no other program commands the machine."""
        self._taken_at = -TAKEN_S

    async def open(self) -> Identity:
        """Connect and identify the controller. Takes no control."""
        await self.close()
        try:
            self._client = await Client.connect(self._settings, self._traffic)
        except Unavailable as error:
            self._lose(error)
            raise
        wait, old_wait = await self.ask("wait_mode", "set_wait")
        # The newer keyword first: newer versions also know the old one, but complain.
        self._wait_keyword = "set_wait" if wait == NAK else "wait_mode"
        self._asked = asked(self._settings.joints, spindle=wait != NAK)
        unit, ini = await self._unit(), await self._ini()
        self._mm = MM_IN[unit]
        name, version = [*self._connected().greeting.split()[2:], "", ""][:2]
        self.controller = f"{name} ({ini}, {unit.lower()})"
        await self.read_snapshot()
        self._poller = asyncio.create_task(self._poll())
        waits = old_wait if wait == NAK else wait
        details = (
            ("Name", name),
            ("linuxcncrsh", version),
            ("Commands", f"{self._wait_keyword} {waits.lower()}"),
            ("Configuration", ini),
            ("Units", unit.lower()),
        )
        return bounded_identity(Identity("LinuxCNC", details))

    async def _unit(self) -> str:
        for _ in range(ATTEMPTS):
            unit = (await self.ask("user_linear_units"))[0].upper()
            if unit in MM_IN:
                return unit
        known = ", ".join(MM_IN).lower()
        words = f"the controller measures in {text(unit.lower(), 40)}, not in one of {known}"
        error = Unavailable(words)
        self._lose(error)
        raise error

    async def _ini(self) -> str:
        """Return the configuration file, which identifies the controller. Asked again if another
        session interfered."""
        for _ in range(ATTEMPTS):
            ini = (await self.ask("inifile"))[0]
            if ini != NAK:
                break
        return ini

    async def close(self) -> None:
        """Disconnect. A running program continues."""
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)
        client, self._client = self._client, None
        self.in_control = False
        if client is not None:
            await client.close()

    async def read_snapshot(self) -> Snapshot:
        """Read everything in one exchange."""
        now = await self._snapshot()
        if self.in_control and not now.enabled:
            self.in_control = False
            self._taken_at = asyncio.get_running_loop().time()
        await self._on_snapshot(now)
        return now

    async def _snapshot(self) -> Snapshot:
        for _ in range(ATTEMPTS):
            answers = await self.ask(*self._asked)
            with contextlib.suppress(ValueError):  # an answer to a question of another session
                return Snapshot.read(tuple(zip(self._asked, answers, strict=True)), self._mm)
            await self._guarded(self._connected().settle())
        shown = text(", ".join(answers), 300)
        error = Unavailable(f"the controller's answers do not match the questions: {shown}")
        self._lose(error)
        raise error

    async def until(
        self, fact: Callable[[Snapshot], bool], seconds: float = CONFIRMED_S
    ) -> Snapshot:
        """Poll until the fact is true, or for so many seconds. Return the last snapshot."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            now = await self.read_snapshot()
            if fact(now) or loop.time() > end:
                return now
            await asyncio.sleep(BUSY_S)

    def set_busy(self, *, busy: bool) -> None:
        """Set the poll interval: that of a run, or the longer one."""
        self.busy = busy
        self._busy_changed.set()

    async def drain_errors(self) -> list[str]:
        """Return what is left in the error queue, and empty it."""
        found: list[str] = []
        while True:
            error, _ = await self.ask("error", "plat")  # `plat` ends a text of several lines
            if error.upper() == "OK":
                return found
            if error != NAK:
                found.append(error)

    async def discard_messages(self) -> None:
        more = True
        while more:
            *texts, _ = await self.ask("error", *MESSAGES, "plat")
            more = any(text.upper() not in {"OK", NAK} for text in texts)

    async def ask(self, *words: str) -> list[str]:
        return await self._guarded(self._connected().ask(*words))

    async def set(self, words: str) -> None:
        """Send a command; needs control. Repeated if refused, but never a start. Raises Refused."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._guarded(self._connected().set(words))
            except Refused:
                now = await self.read_snapshot()
                if words == "run" and (now.state != IDLE or now.line > 0):
                    return
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    async def command(self, words: str) -> None:
        """Take control, from another session if needed, and send a command."""
        await self.take_control()
        await self.set(words)

    async def stop(self) -> None:
        """Abort what runs, and wait until nothing does."""
        if (await self.read_snapshot()).state == IDLE:
            return
        await self.command("abort")
        now = await self.until(lambda now: now.state == IDLE)
        if now.state != IDLE:
            raise Unavailable("the controller has not confirmed the abort")

    async def take_control(self) -> None:
        """Take control. Raises NotReady for a wrong password. Commands are then answered on
        reception, a setting that another session may have changed for all."""
        if (await self.ask("enable"))[0].upper() != "ON":
            try:
                await self.set(f"enable {self._settings.enable_password}")
            except Refused as error:
                raise NotReady("the controller refuses the enable password") from error
            await self.set(f"{self._wait_keyword} received")
        self.in_control = True

    async def give_control(self) -> None:
        """Return control. If another session has it, nothing is sent: it would lose it too."""
        if self.in_control and (await self.read_snapshot()).enabled:
            self.in_control = False
            await self.set("enable off")

    async def _guarded(self, exchange: Awaitable[T]) -> T:
        try:
            return await exchange
        except Unavailable as error:
            self._lose(error)
            raise

    async def _poll(self) -> None:
        with contextlib.suppress(Unavailable):  # already reported to `on_loss`
            while True:
                await self.read_snapshot()
                self._busy_changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_s if self.busy else CALM_S):
                        await self._busy_changed.wait()

    def _lose(self, error: Unavailable) -> None:
        self._client = None
        self.in_control = False
        self._on_loss(error)

    def _connected(self) -> Client:
        if self._client is None:
            raise Unavailable(f"there is no connection to LinuxCNC at {self._settings.address}")
        return self._client
