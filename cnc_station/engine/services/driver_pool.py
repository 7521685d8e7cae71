"""The drivers of the machines wired to this station, and what their controllers say."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Conflict, InvalidInput, Unavailable
from cnc_station.engine.domain.machine import STATION_CLOSED, MachineSpec, Position, PositionMemory
from cnc_station.engine.domain.states import BUSY_MACHINES, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import Driver, OnLoss
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.readiness import REWIRING, RecordPosition, RecordReach, SetReadiness
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.views import ConnectionReport, Doing, Identity, MachineRow, Status

log = logging.getLogger(__name__)

ACTOR = "station"
CONTROLLER = "controller"
REFUSED_S = 15.0  # a machine that would not start is not asked again for so long
_GO_OFFLINE = {MachineState.IDLE, MachineState.OFFLINE}  # unreached; others stay where they are
_UNREADY = {
    Doing.RUNNING: "runs a program that was not started from here",
    Doing.HELD: "is held in a program that was not started from here",
    Doing.NOT_READY: "is not ready",
    Doing.ALARM: "is in alarm",
    Doing.UNREACHABLE: "is not reachable",
}


@dataclass(slots=True)
class Connection:
    """One machine's driver, with what it was made from. `told` is what was last heard."""

    driver: Driver
    spec: MachineSpec
    version: int  # of the machine as it was then
    unsubscribe: Callable[[], None] = lambda: None
    told: tuple[Doing, str, Position | None] | None = None
    identity: Identity | None = None
    failure: str = ""
    details: str = ""  # the system's own words behind it
    refused_until: float = 0.0
    unlocking: bool = False
    confirming: bool = False
    reaching: asyncio.Lock = field(default_factory=asyncio.Lock)


class DriverPool:
    """Makes drivers, connects them, and says in the machines' states what they say."""

    def __init__(
        self,
        writer: RetryingWriter,
        defaults: Mapping[str, Mapping[str, Any]],
        on_news: Callable[[], None],
        on_due: Callable[[], None],
    ) -> None:
        """`defaults`: driver settings of the station by driver name; a machine's own win.
        `on_news` hears that a controller may say something else than before, `on_due` that a
        driver can be changed or dropped that could not be before."""
        self._writer = writer
        self._defaults = defaults
        self._on_news = on_news
        self._on_due = on_due
        self._wired: dict[int, Connection] = {}
        self._wiring: dict[int, asyncio.Lock] = {}
        self.drivers: dict[int, Driver] = {}
        self._leased: Counter[int] = Counter()  # by machine: whose runs need its driver
        self._put_off: set[int] = set()  # machines whose drivers are changed when their runs end

    def _new(self, spec: MachineSpec) -> Driver:
        return registry.make(spec.driver, {**self._defaults.get(spec.driver, {}), **spec.settings})

    async def _make(self, machine: MachineRow) -> None:
        """Where that can't be done, say why: drivers may be installed at other stations only."""
        try:
            wired = Connection(self._new(machine.spec), machine.spec, machine.version)
        except InvalidInput as error:
            log.warning("%s has no driver: %s", machine.spec.name, error)
            await self._say(MoveMachine((t.DISCONNECTED,), machine.id, ACTOR, str(error)))
            await self._say(SetReadiness(machine.id, str(error), ACTOR, machine.spec))
            return
        wired.driver.recall(_remembered(machine))
        wired.unsubscribe = wired.driver.subscribe(lambda status: self._hear(wired, status))
        self._wired[machine.id], self.drivers[machine.id] = wired, wired.driver

    async def wire(self, machine: MachineRow) -> None:
        """Give a machine the driver that it asks for, unless it has that, and reach it. Who comes
        with the same meanwhile waits for it, and who comes with a former edit changes nothing: a
        serial port serves one driver. One at work keeps its own for now."""
        async with self.wiring(machine.id):
            wired = self._wired.get(machine.id)
            if not self.fits(machine) and (wired is None or wired.version <= machine.version):
                if machine.state in BUSY_MACHINES or not await self._let_go_at_rest(machine.id):
                    return
                await self._make(machine)
        await self.connect(machine)
        if not self.is_reached(machine.id):
            self._on_news()  # it is to be reached again before long

    def wiring(self, machine_id: int) -> asyncio.Lock:
        """Held by who changes a machine's driver, and by who needs it to stay the same until a run
        is in hand again."""
        return self._wiring.setdefault(machine_id, asyncio.Lock())

    def _hear(self, wired: Connection, status: Status) -> None:
        """Positions change ten times a second; that is no news."""
        told = (status.doing, status.why, status.position)
        if told != wired.told:
            wired.told, wired.refused_until = told, 0.0
            self._on_news()

    def fits(self, machine: MachineRow) -> bool:
        """Whether the machine has the driver that it asks for; another station may have edited
        it."""
        wired = self._wired.get(machine.id)
        wanted = (machine.spec.driver, dict(machine.spec.settings))
        return wired is not None and (wired.spec.driver, dict(wired.spec.settings)) == wanted

    async def prepare(self, machines: tuple[MachineRow, ...]) -> None:
        """Drivers for all machines, before recovery asks them."""
        for machine in machines:
            await self._make(machine)

    def is_reached(self, machine_id: int) -> bool:
        """Whether its controller answers, as far as is known."""
        wired = self._wired.get(machine_id)
        if wired is None or wired.identity is None:
            return False
        return wired.driver.status().doing is not Doing.UNREACHABLE

    async def reach(self, machine_id: int) -> None:
        """Connect to a controller; who asks meanwhile waits for the same. Raises Unavailable."""
        wired = self._wired[machine_id]
        async with wired.reaching:
            if self.is_reached(machine_id):
                return
            try:
                wired.identity = await wired.driver.connect()
                wired.failure = wired.details = ""
            except CncStationError as error:
                wired.failure, wired.details = str(error), getattr(error, "raw", "")
                raise

    def details(self, machine_id: int) -> str:
        """What the system says of a controller that could not be reached; "" where it says
        nothing."""
        wired = self._wired.get(machine_id)
        return "" if wired is None or self.is_reached(machine_id) else wired.details

    async def connect(self, machine: MachineRow) -> None:
        """Reach a machine's controller, and say what it says."""
        if machine.id not in self._wired:
            return
        try:
            await self.reach(machine.id)
        except Unavailable as error:
            raw = f" ({error.raw})" if error.raw else ""
            log.warning("%s is not reachable: %s%s", machine.spec.name, error, raw)
        await self.settle(machine)

    def lease(self, machine_id: int) -> Driver:
        """A run needs the machine's driver: it is not changed before `release`."""
        self._leased[machine_id] += 1
        return self.drivers[machine_id]

    def release(self, machine_id: int, *, refused: bool = False) -> None:
        """The run has ended: a real machine may have something to say, and another driver to get.
        `refused`: it would not start although it had said that it was ready; its word counts for
        nothing until it says something else, or for a while."""
        self._leased[machine_id] -= 1
        if not self._leased[machine_id]:
            del self._leased[machine_id]
        wired = self._wired.get(machine_id)
        if wired is not None and refused:
            wired.refused_until = asyncio.get_running_loop().time() + REFUSED_S
        if wired is not None and wired.driver.on_loss is OnLoss.INTERRUPT:
            self._on_news()
        if machine_id in self._put_off and machine_id not in self._leased:
            self._put_off.discard(machine_id)
            self._on_due()

    async def settle(self, machine: MachineRow) -> None:
        """Write what a machine without a run says, where it differs from what is written: asked for
        at once, so that no claim comes between that it is idle and what it is not ready for."""
        wired = self._wired.get(machine.id)
        if wired is None or machine.state in BUSY_MACHINES:
            return
        reached = self.is_reached(machine.id)
        news = self._news(machine, wired) if reached else self._lost(machine, wired)
        await asyncio.gather(self.keep_position(machine), *(self._say(change) for change in news))

    async def keep_position(self, machine: MachineRow) -> None:
        """Write what a machine's driver knows of its position, where that is news; also of one at
        work."""
        wired = self._wired.get(machine.id)
        memory = None if wired is None else wired.driver.memory()
        if wired is None or wired.confirming or memory in (None, _remembered(machine)):
            return
        assert memory is not None
        await self._say(RecordPosition(machine.id, memory, CONTROLLER, wired.spec))

    async def keep_reach(self, machine: MachineRow) -> None:
        """Write that the controller of a machine at work does not answer, or does again. Its run
        tries to reach it by itself."""
        wired = self._wired.get(machine.id)
        if wired is None:
            return
        status = wired.driver.status()
        lost = status.doing is Doing.UNREACHABLE
        if lost is (machine.unreached_since is None):
            await self._say(RecordReach(machine.id, status.why if lost else None, wired.spec))

    @staticmethod
    def _lost(machine: MachineRow, wired: Connection) -> Iterator[StoreCommand[None]]:
        why = wired.failure or wired.driver.status().why or "not reachable"
        if machine.state is MachineState.IDLE:
            yield MoveMachine((t.DISCONNECTED,), machine.id, ACTOR, why)
        if machine.state not in _GO_OFFLINE or machine.not_ready == REWIRING:
            yield SetReadiness(machine.id, why, ACTOR, wired.spec)
        told = machine.state_reason if machine.state is MachineState.OFFLINE else why
        if machine.unreached_since is None or told != why:
            yield RecordReach(machine.id, why, wired.spec)

    def _news(self, machine: MachineRow, wired: Connection) -> Iterator[StoreCommand[None]]:
        status = wired.driver.status()
        if machine.unreached_since is not None:
            yield RecordReach(machine.id, None, wired.spec)
        if machine.state is MachineState.OFFLINE:
            yield MoveMachine((t.CONNECTED,), machine.id, ACTOR)
        if status.doing is Doing.ALARM:
            if machine.state not in (MachineState.ALARM, MachineState.MAINTENANCE):
                yield MoveMachine((t.ALARMED,), machine.id, CONTROLLER, status.why)
            return
        if machine.state is MachineState.ALARM and self._is_real(machine) and not wired.unlocking:
            yield MoveMachine((t.UNLOCKED,), machine.id, CONTROLLER, "at its panel")
        why = _unready(status)
        refused = asyncio.get_running_loop().time() < wired.refused_until
        if machine.not_ready != why and not (refused and not why):
            yield SetReadiness(machine.id, why, CONTROLLER, wired.spec)

    @staticmethod
    def _is_real(machine: MachineRow) -> bool:
        return registry.info(machine.spec.driver).real

    async def unlock(self, machine_id: int, actor: str, reason: str) -> None:
        """Have a controller out of its alarm, and say who asked for it. Raises Conflict with what
        has to be done first, Unavailable."""
        wired = self._wired.get(machine_id)
        if wired is None:
            raise Unavailable("The machine has no driver.")
        wired.unlocking = True  # else its news would be told as what happened at its panel
        try:
            await wired.driver.unlock()
            unlocked = MoveMachine((t.UNLOCKED,), machine_id, actor, reason)
            # At once, so that no claim comes in between: it may have to home first.
            if why := _unready(wired.driver.status()):
                unready = SetReadiness(machine_id, why, CONTROLLER, wired.spec)
                await asyncio.gather(self._writer.write(unlocked), self._say(unready))
            else:
                await self._writer.write(unlocked)
        finally:
            wired.unlocking = False

    async def confirm_position(self, machine_id: int, actor: str) -> None:
        """A person vouches for the work zero, and is named in the history. Raises Conflict,
        Unavailable."""
        wired = self._wired.get(machine_id)
        if wired is None:
            raise Unavailable("The machine has no driver.")
        wired.confirming = True  # otherwise its news would be told as the controller's
        try:
            await wired.driver.confirm_position()
            memory = wired.driver.memory()
            if memory is not None:
                await self._writer.write(RecordPosition(machine_id, memory, actor, wired.spec))
        finally:
            wired.confirming = False
        self._on_news()

    async def reconnect(self, machine_id: int) -> None:
        """Try now to reach a controller that is away. Raises Unavailable, which names the
        machine, and Conflict while a run is in hand: that tries by itself."""
        if machine_id not in self._wired:
            raise Unavailable("The machine has no driver.")
        if machine_id in self._leased:
            raise Conflict("Its job is still in hand: it is tried again all the time.")
        try:
            await self.reach(machine_id)
        except Unavailable as error:
            name = self._wired[machine_id].spec.name
            raise Unavailable(f"{name}: {error}", raw=error.raw) from error
        finally:
            self._on_news()

    async def report(self, spec: MachineSpec) -> ConnectionReport:
        """Try a machine's settings without keeping them. Raises InvalidInput."""
        driver = self._new(spec)
        try:
            identity = await driver.connect()
            return ConnectionReport(identity, driver.status())
        except CncStationError as error:
            return ConnectionReport(failure=str(error), details=getattr(error, "raw", ""))
        finally:
            await driver.close()

    async def drop(self, machine_id: int) -> None:
        """Let go of a machine's controller; of one at work, when its run has ended."""
        async with self.wiring(machine_id):
            await self._let_go_at_rest(machine_id)

    async def _let_go_at_rest(self, machine_id: int) -> bool:
        """Whether it has no run, and was let go."""
        if machine_id in self._leased:
            self._put_off.add(machine_id)
            return False
        await self._let_go(machine_id)
        return True

    async def _let_go(self, machine_id: int) -> None:
        wired = self._wired.pop(machine_id, None)
        self.drivers.pop(machine_id, None)
        if wired is not None:
            wired.unsubscribe()
            await wired.driver.close()

    async def close(self) -> frozenset[int]:
        """Let go of all controllers; the machines whose controllers were."""
        let_go = set()
        for machine_id in list(self.drivers):
            try:
                async with self.wiring(machine_id):
                    await self._let_go(machine_id)
                let_go.add(machine_id)
            except CncStationError as error:  # the others are let go of all the same
                log.warning("machine %s was left as it is: %s", machine_id, error)
        return frozenset(let_go)

    async def say_closed(self, machine_ids: frozenset[int]) -> None:
        """Idle ones are offline from now on. Raises Unavailable."""
        ids, why = sorted(machine_ids), STATION_CLOSED
        offline = [MoveMachine((t.DISCONNECTED,), one, ACTOR, why) for one in ids]
        await asyncio.gather(*map(self._say, offline))

    async def _say(self, change: StoreCommand[None]) -> None:
        try:
            await self._writer.write(change)
        except Conflict as error:
            log.debug("a machine keeps its state: %s", error)


def _remembered(machine: MachineRow) -> PositionMemory | None:
    known = machine.position
    return None if known is None else PositionMemory(known.position, known.mark)


def _unready(status: Status) -> str:
    """Why a controller would start nothing now; "" if it would."""
    return "" if status.doing is Doing.READY else status.why or _UNREADY[status.doing]
