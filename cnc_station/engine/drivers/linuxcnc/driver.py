"""Runs programs on LinuxCNC.

What it never does by itself: switch on, home, choose a mode. Those are the doings of somebody who
stands at the machine. It takes control, which only one session can have, when it has something to
say, and reads on without when another session takes it away.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Self

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.nc import read
from cnc_station.engine.drivers.base import (
    DriverKind,
    Finding,
    Found,
    NotReady,
    OnLoss,
    Order,
    RunFailed,
)
from cnc_station.engine.drivers.linuxcnc import files, recovery
from cnc_station.engine.drivers.linuxcnc.client import Refused
from cnc_station.engine.drivers.linuxcnc.ending import Ending, ending_of
from cnc_station.engine.drivers.linuxcnc.heard import Heard
from cnc_station.engine.drivers.linuxcnc.link import Link
from cnc_station.engine.drivers.linuxcnc.opening import forget, open_program
from cnc_station.engine.drivers.linuxcnc.settings import FIELDS, Settings
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, PAUSED, RUNNING, Place, Snapshot
from cnc_station.engine.drivers.linuxcnc.watch import Watch
from cnc_station.engine.drivers.linuxcnc.words import status_of
from cnc_station.engine.drivers.voice import Voice
from cnc_station.engine.views import Abilities, Doing, DriverInfo, Identity, Status

STOP_WORDS = "program stop (M0)"
LOST_REMEDY = "See that the controller is on and that its linuxcncrsh runs"


class LinuxCnc(Voice):
    """Implements `Driver`."""

    on_loss = OnLoss.INTERRUPT
    abilities = Abilities()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._link = Link(settings, self.wire, self._take, self._lost)
        self._heard = Heard()
        self._file = ""  # of the run in hand
        self._ending: Ending | None = None
        self._watch: Watch | None = None
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        """From a machine's driver settings; raises ValueError."""
        return cls(Settings.make(settings))

    # --- the connection

    async def connect(self) -> Identity:
        """Says hello and asks; takes no control. What was in hand has to be looked for."""
        self._watch = None
        return await self._link.open()

    async def close(self) -> None:
        """Hangs up; a program goes on."""
        await self._link.close()
        if self._writing is not None:
            await self._writing
        if self._watch is not None and not self._watch.ended.is_set():
            self._watch.end(Unavailable("closed"))
        self.say(Status(Doing.UNREACHABLE, "closed"))

    async def _take(self, now: Snapshot) -> None:
        self._heard.take(now)
        watch = self._watch
        if watch is not None:
            noted = watch.note
            watch.see(now, asyncio.get_running_loop().time())
            if watch.note != noted:
                await self._write_note(watch.note)
        self.say(self._status_of(now))

    def _lost(self, error: Unavailable) -> None:
        if self._watch is not None and not self._watch.ended.is_set():
            self._watch.end(error)
        self.say(Status(Doing.UNREACHABLE, str(error), LOST_REMEDY))

    async def _write_note(self, note: files.Note) -> None:
        """Not left half-way where its look at the controller is called off."""
        folder, name = self._settings.program_folder, self._file
        self._writing = asyncio.create_task(_written(folder, name, note))
        await asyncio.shield(self._writing)

    # --- a run

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Writes the program's bytes into a file of their own and has the controller open it."""
        if order.source is None:
            raise RunFailed("LinuxCNC makes parts from programs, and this job has none")
        self._must_be_ready(await self._link.look())
        ending = await asyncio.to_thread(_read, order)
        if not ending.closed:
            raise RunFailed("the program has no end (M2, M30 or %): LinuxCNC would break it off")
        name, folder = files.name_of(order.run_id, part), self._settings.program_folder
        try:
            await asyncio.to_thread(files.write_program, folder, name, order.source)
        except OSError as error:
            raise NotReady(f"the program can't be written: {error.strerror or error}") from error
        self._file, self._ending, self._watch = name, ending, None
        await open_program(self._link, self._heard, self._path)
        return ()

    async def start(self) -> None:
        """Runs what is open, and sees that it does."""
        now = await self._link.look()
        if not self._link.in_control:
            raise NotReady("another session has taken control of the controller")
        self._must_be_ready(now)
        if now.program != self._path:
            raise NotReady(f"another program was opened: {now.program or 'none'}")
        await forget(self._link, self._heard)
        watch = self._watching(now, files.Note(now.place))
        await self._write_note(watch.note)
        try:
            await self._link.set("run")
        except Refused as error:
            self._watch = None
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
            self._watch = None
            await self._link.stop()
            raise NotReady(
                "; ".join(self._heard.errors) or "the controller did not start the program"
            )

    def _watching(self, now: Snapshot, note: files.Note) -> Watch:
        """Begun in another work offset than G54 it ends where this program does not say: the
        controller is back in G54 then."""
        assert self._ending is not None
        ending = self._ending if "G54" in now.codes else self._ending.anywhere()
        at = asyncio.get_running_loop().time()
        self._watch = Watch(self._path, ending, note, at)
        self._link.hurry(busy=True)
        return self._watch

    async def ended(self) -> None:
        """Until the verdict (see `Watch`)."""
        watch = self._watch
        if watch is None:
            raise Conflict("nothing runs")
        await watch.ended.wait()
        self._link.hurry(busy=False)
        with contextlib.suppress(Unavailable, Refused):
            await self._link.give_control()
        if watch.verdict is not None:
            raise watch.verdict

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
        self.say(self._status_of(now))

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

    async def look(self, order: Order) -> Found:
        """By the file that the controller has open."""
        now = await self._link.look()
        part = recovery.part_in_hand(now, order)
        if part is None or order.source is None:
            words = f"{now.program} open" if now.program else "no program open"
            return Found(Finding.STOPPED, f"the controller has {words}: not this run's")
        self._file = files.name_of(order.run_id, part)
        self._ending = await asyncio.to_thread(_read, order)
        folder = self._settings.program_folder
        note = await asyncio.to_thread(files.read_note, folder, self._file)
        found = recovery.found(now, self._ending, note, part)
        if found.finding is Finding.UNDER_WAY:
            watch = self._watching(now, note or files.Note(now.place))
            watch.see(now, asyncio.get_running_loop().time())
        return found

    # --- small things

    def _status_of(self, now: Snapshot) -> Status:
        stop, turns = "", None
        if self._ending is not None and now.program == self._path and now.state != IDLE:
            stop = STOP_WORDS if now.line in self._ending.stops else ""
            turns = now.line in self._ending.turning
        words = self._heard.words(stop)
        return status_of(now, words, taken=self._link.taken, turns=turns)

    @property
    def _path(self) -> str:
        """The program in hand, as the controller names it."""
        return f"{self._settings.controller_folder}/{self._file}"

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


def _read(order: Order) -> Ending:
    assert order.source is not None
    program = order.program or read(order.source)
    return ending_of(program, order.source)


KIND = DriverKind(
    DriverInfo("linuxcnc", "LinuxCNC", settings=FIELDS, abilities=LinuxCnc.abilities, real=True),
    LinuxCnc.make,
)
