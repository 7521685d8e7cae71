"""The drivers of this station's machines, and what their controllers report."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Conflict, InvalidInput, Unavailable
from cnc_station.engine.domain.machine import STATION_CLOSED, MachineSpec, Position, PositionMemory
from cnc_station.engine.domain.nc import Dialect
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
REFUSED_S = 15.0  # a machine that refused a start gets no job for so long
_GO_OFFLINE = {MachineState.IDLE, MachineState.OFFLINE}  # unreached; others keep their state
_UNREADY = {
    Doing.RUNNING: "runs a program that was not started from here",
    Doing.HELD: "is held in a program that was not started from here",
    Doing.NOT_READY: "is not ready",
    Doing.ALARM: "is in alarm",
    Doing.UNREACHABLE: "is not reachable",
}


@dataclass(slots=True)
class Connection:
    """One machine's driver, and what it was made from. `news` is what it reported last."""

    driver: Driver
    spec: MachineSpec
    version: int  # of the machine when it was made
    unsubscribe: Callable[[], None] = lambda: None
    news: tuple[Doing, str, Position | None] | None = None
    identity: Identity | None = None
    failure: str = ""
    details: str = ""  # the system's error message
    refused_until: float = 0.0
    unlocking: bool = False
    confirming: bool = False
    reaching: asyncio.Lock = field(default_factory=asyncio.Lock)


class DriverPool:
    """Makes drivers, connects them, and writes what they report to the machines' states.

    `defaults` are driver settings of the station by driver name; a machine's own settings win.
    `on_news` is called when a controller may report something new, `on_due` when a driver can be
    changed or dropped that a run needed before.
    """

    def __init__(
        self,
        writer: RetryingWriter,
        defaults: Mapping[str, Mapping[str, Any]],
        on_news: Callable[[], None],
        on_due: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._defaults = defaults
        self._on_news = on_news
        self._on_due = on_due
        self._wired: dict[int, Connection] = {}
        self._wiring: dict[int, asyncio.Lock] = {}
        self.drivers: dict[int, Driver] = {}
        self._leased: Counter[int] = Counter()  # by machine: the runs that need its driver
        self._put_off: set[int] = set()  # machines whose drivers change after their runs

    def _new(self, spec: MachineSpec) -> Driver:
        return registry.make(spec.driver, {**self._defaults.get(spec.driver, {}), **spec.settings})

    def dialect(self, machine_id: int | None) -> Dialect | None:
        """Return how the machine's control reads programs; None: guess it from each program."""
        wired = None if machine_id is None else self._wired.get(machine_id)
        if wired is None:
            return None
        return registry.dialect(wired.spec.driver, wired.spec.settings)

    async def _make(self, machine: MachineRow) -> None:
        """Make a driver, or write why not: it may be installed only at other stations. A machine
        that another computer may run gets none."""
        if machine.from_elsewhere:
            return
        try:
            wired = Connection(self._new(machine.spec), machine.spec, machine.version)
        except InvalidInput as error:
            log.warning("%s has no driver: %s", machine.spec.name, error)
            await self._write(MoveMachine((t.DISCONNECTED,), machine.id, ACTOR, str(error)))
            await self._write(SetReadiness(machine.id, str(error), ACTOR, machine.spec))
            return
        wired.driver.recall(_remembered(machine))
        wired.unsubscribe = wired.driver.subscribe(lambda status: self._note_status(wired, status))
        self._wired[machine.id], self.drivers[machine.id] = wired, wired.driver

    async def wire(self, machine: MachineRow) -> None:
        """Give a machine the driver of its settings, unless it has it, and connect.

        One call at a time, because a serial port serves one driver, and an earlier edit changes
        nothing. A machine at work keeps its driver for now.
        """
        async with self.wiring(machine.id):
            wired = self._wired.get(machine.id)
            if not self.fits(machine) and (wired is None or wired.version <= machine.version):
                if machine.state in BUSY_MACHINES or not await self._disconnect_at_rest(machine.id):
                    return
                await self._make(machine)
        await self.connect(machine)
        if not self.is_reached(machine.id):
            self._on_news()  # so that it is reached again soon

    def wiring(self, machine_id: int) -> asyncio.Lock:
        """The lock to change a machine's driver, or to keep it until a run has a session again."""
        return self._wiring.setdefault(machine_id, asyncio.Lock())

    def _note_status(self, wired: Connection, status: Status) -> None:
        """Positions change ten times a second: they are not news."""
        news = (status.doing, status.why, status.position)
        if news != wired.news:
            wired.news, wired.refused_until = news, 0.0
            self._on_news()

    def fits(self, machine: MachineRow) -> bool:
        """Whether the machine has the driver of its settings. Another station may have edited
        them."""
        wired = self._wired.get(machine.id)
        wanted = (machine.spec.driver, dict(machine.spec.settings))
        return wired is not None and (wired.spec.driver, dict(wired.spec.settings)) == wanted

    async def prepare(self, machines: tuple[MachineRow, ...]) -> None:
        """Make the drivers of all machines, before recovery asks them."""
        for machine in machines:
            await self._make(machine)

    def is_reached(self, machine_id: int) -> bool:
        """Whether its controller answered the last time."""
        wired = self._wired.get(machine_id)
        if wired is None or wired.identity is None:
            return False
        return wired.driver.status().doing is not Doing.UNREACHABLE

    async def reach(self, machine_id: int) -> None:
        """Connect to a controller. Concurrent calls share one attempt. Raises Unavailable."""
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
        """The system's error message about a controller that could not be reached."""
        wired = self._wired.get(machine_id)
        return "" if wired is None or self.is_reached(machine_id) else wired.details

    async def connect(self, machine: MachineRow) -> None:
        if machine.id not in self._wired:
            return
        try:
            await self.reach(machine.id)
        except Unavailable as error:
            raw = f" ({error.raw})" if error.raw else ""
            log.warning("%s is not reachable: %s%s", machine.spec.name, error, raw)
        await self.settle(machine)

    def lease(self, machine_id: int) -> Driver:
        """Return the driver for a run. It is not changed before `release`."""
        self._leased[machine_id] += 1
        return self.drivers[machine_id]

    def release(self, machine_id: int, *, refused: bool = False) -> None:
        """End the lease of a run. `refused`: the machine refused a start although it reported that
        it was ready; that report is ignored until it changes, or for `REFUSED_S`."""
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
        """Write what a machine without a run reports, if it is new. Written together, so that no
        claim comes between its idle state and the reason why it is not ready."""
        wired = self._wired.get(machine.id)
        if wired is None or machine.state in BUSY_MACHINES:
            return
        reached = self.is_reached(machine.id)
        news = list(self._news(machine, wired) if reached else self._lost(machine, wired))
        await asyncio.gather(self.keep_position(machine), *map(self._write, news))

    async def keep_position(self, machine: MachineRow) -> None:
        wired = self._wired.get(machine.id)
        memory = None if wired is None else wired.driver.memory()
        if wired is None or wired.confirming or memory in (None, _remembered(machine)):
            return
        assert memory is not None
        await self._write(RecordPosition(machine.id, memory, CONTROLLER, wired.spec))

    async def keep_reach(self, machine: MachineRow) -> None:
        """Write whether the controller of a machine at work answers. Its run reconnects."""
        wired = self._wired.get(machine.id)
        if wired is None:
            return
        status = wired.driver.status()
        lost = status.doing is Doing.UNREACHABLE
        if lost is (machine.unreached_since is None):
            await self._write(RecordReach(machine.id, status.why if lost else None, wired.spec))

    @staticmethod
    def _lost(machine: MachineRow, wired: Connection) -> Iterator[StoreCommand[None]]:
        why = wired.failure or wired.driver.status().why or "not reachable"
        if machine.state is MachineState.IDLE:
            yield MoveMachine((t.DISCONNECTED,), machine.id, ACTOR, why)
        if machine.state not in _GO_OFFLINE or machine.not_ready == REWIRING:
            yield SetReadiness(machine.id, why, ACTOR, wired.spec)
        written = machine.state_reason if machine.state is MachineState.OFFLINE else why
        if machine.unreached_since is None or written != why:
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
        real = registry.info(machine.spec.driver).real
        if machine.state is MachineState.ALARM and real and not wired.unlocking:
            yield MoveMachine((t.UNLOCKED,), machine.id, CONTROLLER, "at its panel")
        why = _unready(status)
        refused = asyncio.get_running_loop().time() < wired.refused_until
        if machine.not_ready != why and not (refused and not why):
            yield SetReadiness(machine.id, why, CONTROLLER, wired.spec)

    async def unlock(self, machine_id: int, actor: str, reason: str) -> None:
        """Unlock a controller, and write who asked for it. Raises Conflict with what has to be done
        first, Unavailable."""
        wired = self._wired.get(machine_id)
        if wired is None:
            raise Unavailable("The machine has no driver.")
        wired.unlocking = True  # otherwise the history would say "at its panel"
        try:
            await wired.driver.unlock()
            unlocked = MoveMachine((t.UNLOCKED,), machine_id, actor, reason)
            # Written together, so that no claim comes in between: it may have to home first.
            if why := _unready(wired.driver.status()):
                unready = SetReadiness(machine_id, why, CONTROLLER, wired.spec)
                await asyncio.gather(self._writer.write(unlocked), self._write(unready))
            else:
                await self._writer.write(unlocked)
        finally:
            wired.unlocking = False

    async def confirm_position(self, machine_id: int, actor: str) -> None:
        """Confirm the work zero, and write who did. Raises Conflict, Unavailable."""
        wired = self._wired.get(machine_id)
        if wired is None:
            raise Unavailable("The machine has no driver.")
        wired.confirming = True  # otherwise the history would name the controller
        try:
            await wired.driver.confirm_position()
            memory = wired.driver.memory()
            if memory is not None:
                await self._writer.write(RecordPosition(machine_id, memory, actor, wired.spec))
        finally:
            wired.confirming = False
        self._on_news()

    async def reconnect(self, machine_id: int) -> None:
        """Connect now to a lost controller. Raises Unavailable with its name, and Conflict while a
        run is active, which reconnects by itself."""
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
        """Try a machine's settings without storing them. Raises InvalidInput."""
        driver = self._new(spec)
        try:
            identity = await driver.connect()
            return ConnectionReport(identity, driver.status())
        except CncStationError as error:
            return ConnectionReport(failure=str(error), details=getattr(error, "raw", ""))
        finally:
            await driver.close()

    async def drop(self, machine_id: int) -> None:
        """Disconnect a machine's controller; one at work, when its run has ended."""
        async with self.wiring(machine_id):
            await self._disconnect_at_rest(machine_id)

    async def _disconnect_at_rest(self, machine_id: int) -> bool:
        """Disconnect a machine without a run. Return whether it had none."""
        if machine_id in self._leased:
            self._put_off.add(machine_id)
            return False
        await self._disconnect(machine_id)
        return True

    async def _disconnect(self, machine_id: int) -> None:
        wired = self._wired.pop(machine_id, None)
        self.drivers.pop(machine_id, None)
        if wired is not None:
            wired.unsubscribe()
            await wired.driver.close()

    async def close(self) -> frozenset[int]:
        """Disconnect all controllers. Return the machines that were disconnected."""
        disconnected = set()
        for machine_id in list(self.drivers):
            try:
                async with self.wiring(machine_id):
                    await self._disconnect(machine_id)
                disconnected.add(machine_id)
            except CncStationError as error:  # the others are disconnected all the same
                log.warning("machine %s could not be disconnected: %s", machine_id, error)
        return frozenset(disconnected)

    async def say_closed(self, machine_ids: frozenset[int]) -> None:
        """Write that idle machines are offline from now on. Raises Unavailable."""
        ids, why = sorted(machine_ids), STATION_CLOSED
        offline = [MoveMachine((t.DISCONNECTED,), one, ACTOR, why) for one in ids]
        await asyncio.gather(*map(self._write, offline))

    async def _write(self, change: StoreCommand[None]) -> None:
        try:
            await self._writer.write(change)
        except Conflict as error:
            log.debug("a machine keeps its state: %s", error)


def _remembered(machine: MachineRow) -> PositionMemory | None:
    known = machine.position
    return None if known is None else PositionMemory(known.position, known.mark)


def _unready(status: Status) -> str:
    """Return why a controller would refuse a start; "" if it would not."""
    return "" if status.doing is Doing.READY else status.why or _UNREADY[status.doing]
