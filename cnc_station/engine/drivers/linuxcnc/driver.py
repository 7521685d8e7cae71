"""Run programs on LinuxCNC. CNC Station never homes it, never switches it on by itself and never
changes its mode: an operator does. Control is taken to send a command; without it the driver only
reads."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.machine import PositionMemory
from cnc_station.engine.domain.nc.dialects import LINUXCNC
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
from cnc_station.engine.drivers.linuxcnc import files, modes, run_monitor
from cnc_station.engine.drivers.linuxcnc.client import Refused
from cnc_station.engine.drivers.linuxcnc.files import Part
from cnc_station.engine.drivers.linuxcnc.link import Link
from cnc_station.engine.drivers.linuxcnc.opening import close_unstarted, forget, open_program
from cnc_station.engine.drivers.linuxcnc.position import PositionKnowledge
from cnc_station.engine.drivers.linuxcnc.settings import FIELDS, Settings
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, PAUSED, RUNNING, Place, Snapshot
from cnc_station.engine.drivers.linuxcnc.status_text import ControllerMessages, status_of
from cnc_station.engine.drivers.publisher import StatusPublisher
from cnc_station.engine.views import Abilities, Doing, DriverInfo, Identity, Status

STOP_WORDS = "program stop (M0)"
LOST_REMEDY = "Check that the controller is on and that its linuxcncrsh is running"


class LinuxCnc(StatusPublisher):
    """Implements `Driver`."""

    on_loss = OnLoss.INTERRUPT
    abilities = Abilities()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._link = Link(settings, self.wire, self._handle_snapshot, self._handle_loss)
        self._messages = ControllerMessages()
        self._knowledge = PositionKnowledge(settings.address)
        self._part: Part | None = None  # loaded, running, or made last
        self._began_without_length = 0  # the run of that part
        self._zero: Place | None = None  # work offset of G54 when it was last set
        self._monitor: run_monitor.RunMonitor | None = None
        self._writing: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        return cls(Settings.make(settings))

    @property
    def link(self) -> Link:
        """The link to its controller."""
        return self._link

    async def connect(self) -> Identity:
        """Takes no control. A run has to be found with `inspect_run`."""
        self._monitor = None
        return await self._link.open()

    def recall(self, memory: PositionMemory | None) -> None:
        self._knowledge.recall(memory)

    def memory(self) -> PositionMemory | None:
        return self._knowledge.memory()

    async def confirm_position(self) -> None:
        """It does not replace homing."""
        now = await self._link.read_snapshot()
        self._knowledge.confirm(now)
        self.publish(self._status_of(now))

    async def close(self) -> None:
        """A running program continues."""
        if self._stopping is not None:
            self._stopping.cancel()
            await asyncio.gather(self._stopping, return_exceptions=True)
        await self._link.close()
        if self._writing is not None:
            await self._writing
        if self._monitor is not None and not self._monitor.ended.is_set():
            self._monitor.end(Unavailable("closed"))
        self.publish(Status(Doing.UNREACHABLE, "closed"))

    async def _handle_snapshot(self, now: Snapshot) -> None:
        self._messages.take(now)
        self._knowledge.observe(now, self._link.controller)
        monitor = self._monitor
        if monitor is not None:
            noted = monitor.note
            monitor.observe(now, asyncio.get_running_loop().time())
            if monitor.note != noted:
                await self._write_note(monitor.note)
        self.publish(self._status_of(now))
        self._stop_what_is_left_on(now)

    def _handle_loss(self, error: Unavailable) -> None:
        if self._monitor is not None and not self._monitor.ended.is_set():
            self._monitor.end(error)
        self.publish(Status(Doing.UNREACHABLE, str(error), LOST_REMEDY))

    async def _write_note(self, note: files.Note) -> None:
        """Write the note completely, even if the caller is cancelled."""
        folder, part = self._settings.program_folder, self._current_part
        self._writing = asyncio.create_task(_write_note_file(folder, part.file, note))
        await asyncio.shield(self._writing)

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Sets the modes, writes the program into a file, and opens the file."""
        if order.source is None:
            raise RunFailed("LinuxCNC runs programs, and this job has none")
        now = await self._link.read_snapshot()
        self.must_be_ready(now)
        self._monitor = None
        self._part = loaded = await Part.read(order, order.source, part)
        if not loaded.ending.closed:
            raise RunFailed("the program has no end (M2, M30 or %): LinuxCNC would stop it early")
        await self._write(files.write_program, loaded.file, loaded.source)
        self._check_length(now, loaded)
        try:
            await close_unstarted(self._link)
            wrong = await self._set_modes(loaded)
            await open_program(self._link, self._messages, self._path(loaded.file))
        except (NotReady, RunFailed):
            with contextlib.suppress(Unavailable, Refused):
                await self._link.give_control()
            raise
        return tuple(map(str, wrong))

    def _check_length(self, now: Snapshot, part: Part) -> None:
        """Check the tool length. One that the part before left active belongs to this run."""
        if self._began_without_length != part.run_id or part.number == 1:
            modes.check_length(modes.unmet(now.codes, modes.assumed(part.program)))

    async def _set_modes(self, part: Part) -> tuple[modes.Unmet, ...]:
        """Set the modes of the program. Return those that had to be set."""
        now = await self._link.read_snapshot()
        self._check_length(now, part)
        wrong = modes.unmet(now.codes, modes.assumed(part.program))
        if wrong or now.zero != self._zero:
            source, folder = modes.program_of(wrong), self._settings.program_folder
            await self._write(files.write_modes, part.modes_file, source)
            now = await modes.set_modes(
                self._link,
                self._messages,
                self._path(part.modes_file),
                modes.assumed(part.program),
                partial(files.must_be_unchanged, folder, part.modes_file, source),
            )
            self._zero = now.zero
        return wrong

    async def _write(
        self, write: Callable[[Path, str, bytes], None], name: str, content: bytes
    ) -> None:
        folder = self._settings.program_folder
        try:
            await asyncio.to_thread(write, folder, name, content)
        except OSError as error:
            raise NotReady(files.write_error_text(folder, error)) from error

    async def start(self) -> None:
        """Runs the open program, and checks that it runs."""
        now, part = await self._link.read_snapshot(), self._current_part
        if not self._link.in_control:
            raise NotReady("another session has taken control of the controller")
        self.must_be_ready(now)
        if now.program != self._path(part.file):
            raise NotReady(f"another program was opened: {now.program or 'none'}")
        modes.check_modes(now.codes, modes.assumed(part.program))
        if modes.LENGTH_OFF in now.codes:
            self._began_without_length = part.run_id
        await forget(self._link, self._messages)
        monitor = self._start_monitor(part, files.Note(now.place))
        await self._write_note(monitor.note)
        folder = self._settings.program_folder
        try:
            await files.must_be_unchanged(folder, part.file, part.source)
            await self._link.set("run")
        except Refused as error:
            self._drop_monitor()
            raise NotReady(f"the controller did not run the program: {error}") from error
        except NotReady:
            self._drop_monitor()
            raise
        await self._link.until(
            lambda now: (
                monitor.began
                or monitor.ended.is_set()
                or (now.state == IDLE and now.line == 0 and bool(self._messages.errors))
            )
        )
        if isinstance(monitor.verdict, RunFailed):
            raise monitor.verdict
        if not monitor.began and not monitor.ended.is_set():
            self._drop_monitor()
            await self._link.stop()
            raise NotReady(
                "; ".join(self._messages.errors) or "the controller did not start the program"
            )

    def _start_monitor(
        self, part: Part, note: files.Note, *, from_start: bool = True
    ) -> run_monitor.RunMonitor:
        at = asyncio.get_running_loop().time()
        path = self._path(part.file)
        self._monitor = run_monitor.RunMonitor(path, part.ending, note, at, from_start=from_start)
        self._messages.left_on = part.ending.leaves_on
        self._link.set_busy(busy=True)
        return self._monitor

    def _drop_monitor(self) -> None:
        self._monitor = None
        self._messages.left_on = ()

    async def ended(self) -> None:
        monitor = self._monitor
        if monitor is None:
            raise Conflict("nothing runs")
        await monitor.ended.wait()
        self._link.set_busy(busy=False)
        if self._stopping is not None:
            await asyncio.shield(self._stopping)
        with contextlib.suppress(Unavailable, Refused):
            await self._link.give_control()
        if monitor.verdict is not None:
            raise monitor.verdict
        part = self._current_part
        folder = self._settings.program_folder
        if await asyncio.to_thread(files.change_of, folder, part.file, part.source):
            raise EndUnproven(f"{part.file} was changed while it ran: it is unknown what was made")

    def _stop_what_is_left_on(self, now: Snapshot) -> None:
        monitor, busy = self._monitor, self._stopping is not None and not self._stopping.done()
        over = monitor is None or monitor.ended.is_set()
        idle = now.state == IDLE and now.mode == "AUTO" and not self._link.taken
        if self._messages.left_on and over and idle and not busy:
            self._stopping = asyncio.create_task(self._stop_spindle_and_coolant(monitor))

    async def _stop_spindle_and_coolant(self, monitor: run_monitor.RunMonitor | None) -> None:
        """After a failure it is tried again at the next snapshot."""
        left_on, had_control = self._messages.left_on, self._link.in_control
        with contextlib.suppress(Unavailable, Refused, NotReady):
            for words in ("spindle off", "flood off", "mist off"):
                await self._link.command(words)
            now = await self._link.until(lambda now: not now.turns and not now.coolant)
            if now.turns or now.coolant:
                return
            self._messages.left_on = ()
            if monitor is None or not isinstance(monitor.verdict, RunFailed | RunAborted):
                what = " and the ".join(left_on)
                self._messages.message = f"the program left the {what} on: stopped"
            self.publish(self._status_of(now))
            if not had_control:
                await self._link.give_control()

    async def hold(self) -> None:
        """Pauses, and waits for standstill."""
        self._must_have_a_run()
        if (await self._link.read_snapshot()).state == PAUSED:
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
        self._messages.held_by_us = True
        self.publish(self._status_of(now))

    async def resume(self) -> None:
        """Resumes a hold of this station, of the panel or of the program."""
        self._must_have_a_run()
        if (await self._link.read_snapshot()).state == RUNNING:
            return
        await self._link.command("resume")
        now = await self._link.until(lambda now: now.state != PAUSED)
        if now.state == PAUSED:
            raise Unavailable("the controller has not resumed")

    async def abort(self) -> None:
        """The axes stand when this returns."""
        monitor = self._monitor
        if monitor is None or (
            monitor.ended.is_set() and not isinstance(monitor.verdict, Unavailable)
        ):
            return
        self._must_have_a_run()
        monitor.aborting = True
        await self._link.stop()
        await self._link.until(lambda _: monitor.ended.is_set())

    async def unlock(self) -> None:
        """Ends the emergency stop, then switches the machine on. No motion."""
        self._link.allow_control()
        now = await self._link.read_snapshot()
        if now.estop:
            await self._link.command("estop off")
            now = await self._link.until(lambda now: not now.estop)
        if now.estop:
            raise Conflict("the emergency stop is still pressed: release it at the machine first")
        if not now.on:
            await self._link.command("machine on")
            now = await self._link.until(lambda now: now.on)
        if not now.on:
            raise Conflict(f"{self._messages.why_off()}: clear the cause at the machine first")

    async def inspect_run(self, order: Order) -> RunInspection:
        """Identifies the run by the file that the controller has open."""
        now = await self._link.read_snapshot()
        owner = files.owner_of(now.program)
        if owner is None or owner.run_id != order.run_id or order.source is None:
            words = f"{now.program} open" if now.program else "no program open"
            return RunInspection(
                RunOutcome.STOPPED, f"the controller has {words}: it is not of this run"
            )
        position = self._knowledge.position
        if position is not None and not position.known and now.state == IDLE:
            return RunInspection(RunOutcome.STOPPED, position.reason, owner.part)
        if owner.modes:
            return run_monitor.inspect_set_up(owner.part)
        self._part = part = await Part.read(order, order.source, owner.part)
        folder = self._settings.program_folder
        note = await asyncio.to_thread(files.read_note, folder, part.file)
        found = run_monitor.inspect_open_run(now, part.ending, note, part.number)
        if found.outcome is RunOutcome.UNDER_WAY:
            monitor = self._start_monitor(part, note or files.Note(now.place), from_start=False)
            monitor.observe(now, asyncio.get_running_loop().time())
        elif now.line > 0:
            self._messages.left_on = part.ending.leaves_on
            self.publish(self._status_of(now))
        return found

    def _status_of(self, now: Snapshot) -> Status:
        stop, turns, part = "", None, self._part
        if part is not None and now.program == self._path(part.file) and now.state != IDLE:
            stop = STOP_WORDS if now.line in part.ending.stops else ""
            turns = now.line in part.ending.turning
        position, taken = self._knowledge.position, self._link.taken
        return status_of(now, self._messages, position, stop=stop, taken=taken, turns=turns)

    def _path(self, file: str) -> str:
        """Return the path of a file in the program folder, as the controller sees it."""
        return f"{self._settings.controller_folder}/{file}"

    @property
    def _current_part(self) -> Part:
        if self._part is None:
            raise NotReady("no program is loaded")
        return self._part

    def must_be_ready(self, now: Snapshot) -> None:
        """Raises NotReady where no program can be started now."""
        status = self._status_of(now)
        if status.doing in {Doing.RUNNING, Doing.HELD}:
            raise NotReady(f"another program is running: {now.program}")
        if status.doing is not Doing.READY:
            raise NotReady(f"{status.why}. {status.remedy}")

    def _must_have_a_run(self) -> None:
        monitor = self._monitor
        if monitor is not None and isinstance(monitor.verdict, Unavailable):
            raise monitor.verdict
        if monitor is None or monitor.ended.is_set():
            raise Conflict("no run of this station is active on the controller")


async def _write_note_file(folder: Path, name: str, note: files.Note) -> None:
    # Without the note the end of the run cannot be proven after a crash of the station.
    with contextlib.suppress(OSError):
        await asyncio.to_thread(files.write_note, folder, name, note)


KIND = DriverKind(
    DriverInfo(
        "linuxcnc",
        "LinuxCNC",
        settings=FIELDS,
        abilities=LinuxCnc.abilities,
        dialect=LINUXCNC.name,
    ),
    LinuxCnc.make,
)
