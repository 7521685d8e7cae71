"""The services of a station at work: made, started and stopped together, woken by notices."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Mapping

from cnc_station import __version__
from cnc_station.engine.domain.errors import Fenced, NameInUse, Unavailable
from cnc_station.engine.domain.job import NO_MACHINE
from cnc_station.engine.domain.notice import MISSED, Notice
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.services.active_runs import PATIENCE_S, ActiveRuns
from cnc_station.engine.services.alerts import Alerts
from cnc_station.engine.services.at_machines import AtMachines
from cnc_station.engine.services.backups import DailyBackups
from cnc_station.engine.services.clean_up import HistoryCleaner
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.controller_monitor import ControllerMonitor
from cnc_station.engine.services.deliveries import Deliveries
from cnc_station.engine.services.dispatcher import (
    ClaimContext,
    HandlerDispatcher,
    MachineDispatcher,
)
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.fleet_metrics import FleetMetrics
from cnc_station.engine.services.health import HealthProbe
from cnc_station.engine.services.leadership import Leadership, Reaper, Stager
from cnc_station.engine.services.lifeline import MARGIN, SILENCE_S, Lifeline
from cnc_station.engine.services.live_outputs import LiveOutputs
from cnc_station.engine.services.metrics import LoopLag
from cnc_station.engine.services.reconciler import Reconciler
from cnc_station.engine.services.recovery import Recovery
from cnc_station.engine.services.remote_commands import RemoteCommands
from cnc_station.engine.services.remote_telemetry import RemoteTelemetry
from cnc_station.engine.services.retrying_writer import DATABASE
from cnc_station.engine.services.run_ending import Judge
from cnc_station.engine.services.schedules import Schedules
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.services.ticker import Ticker
from cnc_station.engine.services.worker_slots import WorkerSlots
from cnc_station.engine.signals.base import SignalHandlers, Signals
from cnc_station.engine.store.queries.machine_rows import stored_machines
from cnc_station.engine.store.recovery import AdoptMachines
from cnc_station.engine.store.stations import Heartbeat, Join, Leave
from cnc_station.engine.views import MachineRow, Telemetry

log = logging.getLogger(__name__)

REDIS = "redis"
NAME = "name"
JOIN_AGAIN_S = 0.5
LAST_BEATS = 2  # of a station that has died: the last one, and one on its way to the server
TRY_S = 5.0  # a person waits


class ServiceSupervisor:
    """One station's services. `signals` is None for a single station, and for a fleet without
    Redis."""

    def __init__(self, context: ServiceContext, signals: Signals | None) -> None:
        config = self._config = context.config
        self.context = context
        self._health = context.health
        self._signals = signals
        simulator = {"speed": config.simulator_speed, "seed": config.simulator_seed}
        judge = Judge(config.retry)
        self.pool = DriverPool(
            context.writer, {"simulator": simulator}, on_news=self._news, on_due=self._due
        )
        context.library.dialect_of = self.pool.dialect
        self._slots = WorkerSlots(
            context.handlers, config.automation_workers, on_free=self._slot_free
        )
        self.active_runs = ActiveRuns(
            context.writer, context.library, self.pool, self._slots, judge, context.metrics
        )
        self.recovery = Recovery(
            context.writer,
            context.reader,
            context.library,
            self.pool,
            self.active_runs,
            judge,
            config.station,
        )
        self._controller_monitor = ControllerMonitor(context, self.pool, self.active_runs)
        self._remote = RemoteTelemetry(self._machine_ids)
        self._idle: dict[int, str] = {}  # idle machines, with their types
        self._leadership = Leadership(context, self._follow_term)
        self.fleet_metrics = FleetMetrics(
            context.reader,
            context.health,
            context.incarnation,
            lambda: self._leadership.term is not None,
        )
        self.backups = DailyBackups(context, lambda: self._leadership.term is not None)
        claims = ClaimContext(context, self.active_runs, self._taken)
        self._machine_dispatcher = MachineDispatcher(claims, self.pool.drivers, self._look_out)
        self._handler_dispatcher = HandlerDispatcher(
            claims, self._slots, self._look_out_for_automation
        )
        self._reconciler = Reconciler(context, self.active_runs, self.pool, self.recovery)
        self.at_machines = AtMachines(self.active_runs, self.pool)
        self._ticker = Ticker(self.active_runs.telemetry, self._show, lambda: self.active_runs.busy)
        self.services: list[Service] = [
            Lifeline(
                context.writer,
                self.active_runs,
                context.incarnation,
                config.lease_s,
                self._replaced,
                alone=context.alone,
            ),
            Reaper(context, self._leadership),
            Stager(context, self._leadership),
            Schedules(context, self._leadership),
            Alerts(context, self._leadership),
            HistoryCleaner(context),
            self._machine_dispatcher,
            self._handler_dispatcher,
            self._ticker,
            RemoteCommands(context, self.at_machines),
            self._reconciler,
            Deliveries(context),
            self._controller_monitor,
            LoopLag(context.metrics),
            self.backups,
            *([] if context.alone else [LiveOutputs(context.writer, self.active_runs)]),
            self._leadership,  # stopped first, so that it does not start a leader's services again
        ]

    async def start(self) -> None:
        """Join, settle left-over runs, then claim. Raises Unavailable, Conflict."""
        context, config = self.context, self._config
        if context.alone:
            await context.writer.write(AdoptMachines())
        await self._join()
        await self.pool.prepare(await self._own())
        lease_s = config.lease_s * (1 - MARGIN)
        await self.recovery.settle(lease_s)
        if reattached := self.active_runs.run_ids():  # before a leader takes them for lost
            await self._beat(reattached)
        await self._controller_monitor.run_once()
        if self._signals is not None:
            await self._signals.start(
                SignalHandlers(
                    work=self._hear_work,
                    notice=self.hear,
                    telemetry=self._hear_telemetry,
                )
            )
            self.services.insert(0, HealthProbe(REDIS, self._signals.ping, context.health))
        if not self.context.alone:
            self.services.insert(0, HealthProbe(DATABASE, self._ping_database, context.health))
        for service in self.services:
            if service.when is not When.LEADING:
                await service.start()

    async def _join(self) -> None:
        """Join under the station's name. If an earlier life died a moment ago, wait until its
        heartbeats have stopped for long enough. Raises NameInUse if they go on."""
        silence_s = 0.0 if self.context.alone else min(self._config.lease_s, SILENCE_S)
        join = Join(self.context.incarnation, socket.gethostname(), __version__, silence_s)
        heard: set[int] = set()
        while True:
            try:
                await self.context.writer.write(join)
            except NameInUse as error:
                if not heard:
                    name = self._config.station
                    log.warning("the start waits: %s sent a heartbeat a moment ago", name)
                heard.add(error.heard_at)
                if len(heard) > LAST_BEATS:
                    raise
            else:
                return
            await asyncio.sleep(JOIN_AGAIN_S)

    async def _own(self) -> tuple[MachineRow, ...]:
        rows = await self.context.reader.read(stored_machines)
        return tuple(row for row in rows if row.station == self._config.station)

    async def _machine_ids(self) -> frozenset[int]:
        rows = await self.context.reader.read(stored_machines)
        return frozenset(row.id for row in rows)

    async def _ping_database(self) -> None:
        """Read, and after a loss also write: a database that can be read may refuse changes."""
        await self.context.reader.work(self.context.ping)
        if self._health.is_down(DATABASE):
            with contextlib.suppress(Fenced):  # the lifeline reports it
                await self._beat()

    async def _beat(self, runs: tuple[int, ...] = ()) -> None:
        context = self.context
        beat = Heartbeat(context.incarnation, context.config.lease_s, 0.0, runs)
        await context.writer.write(beat)

    async def try_database(self) -> None:
        """Write something now. Raises Unavailable with the reason if that fails."""
        try:
            async with asyncio.timeout(TRY_S):
                await self._beat()
        except TimeoutError:
            raise Unavailable("The database does not answer.") from None

    async def stop(self) -> None:
        """Stop the claims, end and write the runs, disconnect the controllers, leave the fleet."""
        for service in reversed(self.services):
            await service.stop()
        await self.fleet_metrics.stop()
        await self.active_runs.stop()
        disconnected = await self.pool.close()
        with contextlib.suppress(Unavailable, TimeoutError):  # the others will notice the silence
            async with asyncio.timeout(PATIENCE_S):
                await self.pool.say_closed(disconnected)
                await self.context.writer.write(Leave(self.context.incarnation))
        if self._signals is not None:
            await self._signals.stop()
            await self._remote.stop()

    def committed(self, notice: Notice) -> None:
        """Handle a commit of this station: wake its services, and notify the others."""
        self._wake(notice)
        self.context.metrics.committed(notice)
        if self._signals is not None:
            if notice.claimable:
                self._signals.announce_work(notice.claimable)
            self._signals.publish_notice(notice)

    def hear(self, notice: Notice) -> None:
        """Handle a notice of another station, or MISSED."""
        self._wake(notice)
        self.context.tell(notice)

    def _wake(self, notice: Notice) -> None:
        for service in self.services:
            service.hear(notice)

    def changed_elsewhere(self) -> None:
        """Handle a commit of another station that the database reports. With signals its notice
        comes too, and only a hint may have been lost."""
        if self._signals is None or not self._signals.connected or not self._health.is_up(REDIS):
            self.hear(MISSED)
            return
        for service in self.services:
            if service.lost_hint_s is not None:
                service.look_within(service.lost_hint_s)

    def telemetry(self, machine_id: int) -> Telemetry | None:
        """The latest telemetry of a machine at work, here or at another station."""
        return self._ticker.latest.get(machine_id) or self._remote.latest(machine_id)

    async def _replaced(self, why: str) -> None:
        """Stop acting: another station has taken this one's name and machines."""
        self._health.down(NAME, why)
        for service in reversed(self.services):
            if service.when is not When.ALWAYS:
                await service.stop()

    async def _follow_term(self, term: int | None) -> None:
        for service in self.services:
            if service.when is When.LEADING:
                await service.stop()
                if term is not None:
                    await service.start()

    def _news(self) -> None:
        self._controller_monitor.wake.hint()

    def _slot_free(self) -> None:
        self._handler_dispatcher.wake.hint()

    def _hear_work(self, machine_type: str) -> None:
        of_handlers = machine_type == NO_MACHINE
        (self._handler_dispatcher if of_handlers else self._machine_dispatcher).wake.hint()

    def _due(self) -> None:
        self._reconciler.wake.hint()

    def _taken(self) -> None:
        self._ticker.begin()
        for machine_id in self.active_runs.machines():
            self._idle.pop(machine_id, None)
        self._want()

    async def _look_out(self) -> None:
        """Wait for work for the idle machines: there was nothing to claim."""
        if self._signals is None:
            return
        rows = await self._own() if self.pool.drivers else ()
        self._idle = {r.id: r.spec.machine_type for r in rows if r.state is MachineState.IDLE}
        self._want()

    async def _look_out_for_automation(self) -> None:
        self._want()

    def _want(self) -> None:
        if self._signals is not None:
            automation = [NO_MACHINE] if self._slots.free else []
            self._signals.wait_for(frozenset([*automation, *self._idle.values()]))

    def _show(self, news: frozenset[int]) -> None:
        self.context.show(news)
        if self._signals is not None:
            self._signals.publish_telemetry(self._ticker.latest)

    def _hear_telemetry(self, telemetry: Mapping[int, Telemetry]) -> None:
        if news := self._remote.hear(telemetry):
            self.context.show(news)
