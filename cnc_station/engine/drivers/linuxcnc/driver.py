"""Runs programs on LinuxCNC.

What it never does by itself: switch on, home, choose between AUTO, MDI and MANUAL. Those are the
doings of somebody who stands at the machine. It takes control, which only one session can have,
when it has something to say, and reads on without when another session takes it away.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Self

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.position import PositionMemory
from cnc_station.engine.drivers.base import (
    DriverKind,
    EndUnproven,
    NotReady,
    OnLoss,
    Order,
    RunAborted,
    RunFailed,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.drivers.linuxcnc import files, modes, recovery
from cnc_station.engine.drivers.linuxcnc.client import Refused
from cnc_station.engine.drivers.linuxcnc.heard import Heard
from cnc_station.engine.drivers.linuxcnc.link import Link
from cnc_station.engine.drivers.linuxcnc.opening import close_unstarted, forget, open_program
from cnc_station.engine.drivers.linuxcnc.part import Part
from cnc_station.engine.drivers.linuxcnc.position import Knowledge
from cnc_station.engine.drivers.linuxcnc.run_monitor import RunMonitor
from cnc_station.engine.drivers.linuxcnc.settings import FIELDS, Settings
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, PAUSED, RUNNING, Place, Snapshot
from cnc_station.engine.drivers.linuxcnc.status_text import status_of
from cnc_station.engine.drivers.publisher import StatusPublisher
from cnc_station.engine.views import Abilities, Doing, DriverInfo, Identity, Status

STOP_WORDS = "program stop (M0)"
LOST_REMEDY = "See that the controller is on and that its linuxcncrsh runs"


class LinuxCnc(StatusPublisher):
    """Implements `Driver`."""

    on_loss = OnLoss.INTERRUPT
    abilities = Abilities()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._link = Link(settings, self.wire, self._take, self._lost)
        self._heard = Heard()
        self._knowledge = Knowledge(settings.address)
        self._part: Part | None = None  # loaded, under way, or made last
        self._began_without_length = 0  # the run that did
        self._zero: Place | None = None  # of G54, when it was last set
        self._watch: RunMonitor | None = None
        self._writing: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        """From a machine's driver settings; raises ValueError."""
        return cls(Settings.make(settings))

    # --- the connection

    async def connect(self) -> Identity:
        """Says hello and asks; takes no control. What was in hand has to be looked for."""
        self._watch = None
        return await self._link.open()

    def recall(self, memory: PositionMemory | None) -> None:
        """See `Driver.recall`."""
        self._knowledge.recall(memory)

    def memory(self) -> PositionMemory | None:
        """See `Driver.memory`."""
        return self._knowledge.memory()

    async def confirm_position(self) -> None:
        """See `Driver.confirm_position`; never in place of homing."""
        now = await self._link.look()
        self._knowledge.confirm(now)
        self.publish(self._status_of(now))

    async def close(self) -> None:
        """Hangs up; a program goes on."""
        if self._stopping is not None:
            self._stopping.cancel()
            await asyncio.gather(self._stopping, return_exceptions=True)
        await self._link.close()
        if self._writing is not None:
            await self._writing
        if self._watch is not None and not self._watch.ended.is_set():
            self._watch.end(Unavailable("closed"))
        self.publish(Status(Doing.UNREACHABLE, "closed"))

    async def _take(self, now: Snapshot) -> None:
        self._heard.take(now)
        self._knowledge.see(now, self._link.controller)
        watch = self._watch
        if watch is not None:
            noted = watch.note
            watch.see(now, asyncio.get_running_loop().time())
            if watch.note != noted:
                await self._write_note(watch.note)
        self.publish(self._status_of(now))
        self._stop_what_is_left_on(now)

    def _lost(self, error: Unavailable) -> None:
        if self._watch is not None and not self._watch.ended.is_set():
            self._watch.end(error)
        self.publish(Status(Doing.UNREACHABLE, str(error), LOST_REMEDY))

    async def _write_note(self, note: files.Note) -> None:
        """Not left half-way where its look at the controller is called off."""
        folder, part = self._settings.program_folder, self._part_in_hand
        self._writing = asyncio.create_task(_written(folder, part.file, note))
        await asyncio.shield(self._writing)

    # --- a run

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Sets the modes that the program was read with, writes its bytes into a file of their own
        and has the controller open it."""
        if order.source is None:
            raise RunFailed("LinuxCNC makes parts from programs, and this job has none")
        now = await self._link.look()
        self._must_be_ready(now)
        self._watch = None
        self._part = loaded = await Part.read(order, order.source, part)
        if not loaded.ending.closed:
            raise RunFailed("the program has no end (M2, M30 or %): LinuxCNC would break it off")
        await self._write(files.write_program, loaded.file, loaded.source)
        self._check_length(now, loaded)
        try:
            await close_unstarted(self._link)
            wrong = await self._set_modes(loaded)
            await open_program(self._link, self._heard, self._path(loaded.file))
        except (NotReady, RunFailed):
            with contextlib.suppress(Unavailable, Refused):
                await self._link.give_control()
            raise
        return tuple(map(str, wrong))

    def _check_length(self, now: Snapshot, part: Part) -> None:
        """A length that the part before has left on is this run's own affair."""
        if self._began_without_length != part.run_id or part.number == 1:
            modes.check_length(modes.unmet(now.codes, part.assumes))

    async def _set_modes(self, part: Part) -> tuple[modes.Unmet, ...]:
        """What had to be set."""
        now = await self._link.look()
        self._check_length(now, part)
        wrong = modes.unmet(now.codes, part.assumes)
        if wrong or now.zero != self._zero:
            await self._write(files.write_modes, part.modes_file, modes.program_of(wrong))
            path = self._path(part.modes_file)
            now = await modes.set_modes(self._link, self._heard, path, part.assumes)
            self._zero = now.zero
        return wrong

    async def _write(
        self, write: Callable[[Path, str, bytes], None], name: str, content: bytes
    ) -> None:
        folder = self._settings.program_folder
        try:
            await asyncio.to_thread(write, folder, name, content)
        except OSError as error:
            raise NotReady(files.trouble(folder, error)) from error

    async def start(self) -> None:
        """Runs what is open, and sees that it does."""
        now, part = await self._link.look(), self._part_in_hand
        if not self._link.in_control:
            raise NotReady("another session has taken control of the controller")
        self._must_be_ready(now)
        if now.program != self._path(part.file):
            raise NotReady(f"another program was opened: {now.program or 'none'}")
        modes.check_modes(now.codes, part.assumes)
        if not await part.is_unchanged(self._settings.program_folder):
            raise NotReady(f"{part.file} was changed after it was loaded")
        if modes.LENGTH_OFF in now.codes:
            self._began_without_length = part.run_id
        await forget(self._link, self._heard)
        watch = self._watching(part, files.Note(now.place))
        await self._write_note(watch.note)
        try:
            await self._link.set("run")
        except Refused as error:
            self._unwatch()
            raise NotReady(f"the controller does not run a program: {error}") from error
        await self._link.until(
            lambda now: (
                watch.began
                or watch.ended.is_set()
                or (now.state == IDLE and now.line == 0 and bool(self._heard.errors))
            )
        )
        if isinstance(watch.verdict, RunFailed):
            raise watch.verdict
        if not watch.began and not watch.ended.is_set():
            self._unwatch()
            await self._link.stop()
            raise NotReady(
                "; ".join(self._heard.errors) or "the controller did not start the program"
            )

    def _watching(self, part: Part, note: files.Note, *, from_start: bool = True) -> RunMonitor:
        at = asyncio.get_running_loop().time()
        path = self._path(part.file)
        self._watch = RunMonitor(path, part.ending, note, at, from_start=from_start)
        self._heard.left_on = part.ending.leaves_on
        self._link.hurry(busy=True)
        return self._watch

    def _unwatch(self) -> None:
        """It was not started."""
        self._watch = None
        self._heard.left_on = ()

    async def ended(self) -> None:
        """Until the verdict (see `RunMonitor`)."""
        watch = self._watch
        if watch is None:
            raise Conflict("nothing runs")
        await watch.ended.wait()
        self._link.hurry(busy=False)
        if self._stopping is not None:
            await asyncio.shield(self._stopping)
        with contextlib.suppress(Unavailable, Refused):
            await self._link.give_control()
        if watch.verdict is not None:
            raise watch.verdict
        part = self._part_in_hand
        if not await part.is_unchanged(self._settings.program_folder):
            raise EndUnproven(f"{part.file} was changed while it ran: nobody knows what was made")

    def _stop_what_is_left_on(self, now: Snapshot) -> None:
        """After a program that ended without stopping its spindle or its coolant."""
        watch, busy = self._watch, self._stopping is not None and not self._stopping.done()
        over = watch is None or watch.ended.is_set()
        idle = now.state == IDLE and now.mode == "AUTO" and not self._link.taken
        if self._heard.left_on and over and idle and not busy:
            self._stopping = asyncio.create_task(self._stop_spindle_and_coolant(watch))

    async def _stop_spindle_and_coolant(self, watch: RunMonitor | None) -> None:
        """Tried again at the next look where it fails."""
        left_on, had_control = self._heard.left_on, self._link.in_control
        with contextlib.suppress(Unavailable, Refused, NotReady):
            for words in ("spindle off", "flood off", "mist off"):
                await self._link.command(words)
            now = await self._link.until(lambda now: not now.turns and not now.coolant)
            if now.turns or now.coolant:
                return
            self._heard.left_on = ()
            if watch is None or not isinstance(watch.verdict, RunFailed | RunAborted):
                self._heard.note(f"the program left the {' and the '.join(left_on)} on: stopped")
            self.publish(self._status_of(now))
            if not had_control:
                await self._link.give_control()

    async def hold(self) -> None:
        """Pauses, and waits until the tool stands."""
        self._must_have_a_run()
        if (await self._link.look()).state == PAUSED:
            return
        await self._link.command("pause")
        last: Place | None = None

        def stands(now: Snapshot) -> bool:
            nonlocal last
            before, last = last, now.place
            return now.state == IDLE or (now.state == PAUSED and before == now.place)

        now = await self._link.until(stands)
        if now.state == IDLE:
            raise Conflict("the program has ended")
        if now.state != PAUSED:
            raise Unavailable("the controller has not confirmed the hold")
        self._heard.held_by_us = True
        self.publish(self._status_of(now))

    async def resume(self) -> None:
        """Goes on after a hold: ours, the panel's or the program's."""
        self._must_have_a_run()
        if (await self._link.look()).state == RUNNING:
            return
        await self._link.command("resume")
        now = await self._link.until(lambda now: now.state != PAUSED)
        if now.state == PAUSED:
            raise Unavailable("the controller has not gone on")

    async def abort(self) -> None:
        """Ends the run; the tool stands when this returns."""
        watch = self._watch
        if watch is None or (watch.ended.is_set() and not isinstance(watch.verdict, Unavailable)):
            return
        self._must_have_a_run()
        watch.aborting = True
        await self._link.stop()
        await self._link.until(lambda _: watch.ended.is_set())

    async def unlock(self) -> None:
        """Out of the emergency stop, then on. Homes nothing, moves nothing."""
        self._link.forgive()
        now = await self._link.look()
        if now.estop:
            await self._link.command("estop off")
            now = await self._link.until(lambda now: not now.estop)
        if now.estop:
            raise Conflict("the emergency stop is still pressed: release it at the machine first")
        if not now.on:
            await self._link.command("machine on")
            now = await self._link.until(lambda now: now.on)
        if not now.on:
            raise Conflict(f"{self._heard.why_off()}: see to it at the machine first")

    async def inspect_run(self, order: Order) -> RunInspection:
        """By the file that the controller has open."""
        now = await self._link.look()
        owner = recovery.in_hand(now, order)
        if owner is None or order.source is None:
            words = f"{now.program} open" if now.program else "no program open"
            return RunInspection(RunOutcome.STOPPED, f"the controller has {words}: not this run's")
        position = self._knowledge.position
        if position is not None and not position.known and now.state == IDLE:
            return RunInspection(RunOutcome.STOPPED, position.reason, owner.part)
        if owner.modes:
            return recovery.setting_up(owner.part)
        self._part = part = await Part.read(order, order.source, owner.part)
        folder = self._settings.program_folder
        note = await asyncio.to_thread(files.read_note, folder, part.file)
        found = recovery.found(now, part.ending, note, part.number)
        if found.outcome is RunOutcome.UNDER_WAY:
            watch = self._watching(part, note or files.Note(now.place), from_start=False)
            watch.see(now, asyncio.get_running_loop().time())
        elif now.line > 0:
            self._heard.left_on = part.ending.leaves_on
            self.publish(self._status_of(now))
        return found

    # --- small things

    def _status_of(self, now: Snapshot) -> Status:
        stop, turns, part = "", None, self._part
        if part is not None and now.program == self._path(part.file) and now.state != IDLE:
            stop = STOP_WORDS if now.line in part.ending.stops else ""
            turns = now.line in part.ending.turning
        words = self._heard.words(stop)
        position = self._knowledge.position
        return status_of(now, words, position, taken=self._link.taken, turns=turns)

    def _path(self, file: str) -> str:
        """A file of the program folder, as the controller names it."""
        return f"{self._settings.controller_folder}/{file}"

    @property
    def _part_in_hand(self) -> Part:
        if self._part is None:
            raise NotReady("no program is loaded")
        return self._part

    def _must_be_ready(self, now: Snapshot) -> None:
        status = self._status_of(now)
        if status.doing in {Doing.RUNNING, Doing.HELD}:
            raise NotReady(f"another program is under way: {now.program}")
        if status.doing is not Doing.READY:
            raise NotReady(f"{status.why}. {status.remedy}")

    def _must_have_a_run(self) -> None:
        watch = self._watch
        if watch is not None and isinstance(watch.verdict, Unavailable):
            raise watch.verdict
        if watch is None or watch.ended.is_set():
            raise Conflict("no run of this station is under way on the controller")


async def _written(folder: Path, name: str, note: files.Note) -> None:
    with contextlib.suppress(OSError):  # then nobody can prove that it ended, should we die
        await asyncio.to_thread(files.write_note, folder, name, note)


KIND = DriverKind(
    DriverInfo("linuxcnc", "LinuxCNC", settings=FIELDS, abilities=LinuxCnc.abilities, real=True),
    LinuxCnc.make,
)
