"""Runs programs on LinuxCNC.

What it never does by itself: switch on, home, choose a mode. Those are the doings of somebody who
stands at the machine. It takes control (only one session may have it) when it has something to say,
and reads on without when another session takes it away.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
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
from cnc_station.engine.drivers.linuxcnc import files
from cnc_station.engine.drivers.linuxcnc.client import Client, Refused
from cnc_station.engine.drivers.linuxcnc.ending import Ending, ending_of
from cnc_station.engine.drivers.linuxcnc.settings import FIELDS, Settings
from cnc_station.engine.drivers.linuxcnc.snapshot import (
    IDLE,
    MM_IN,
    PAUSED,
    RUNNING,
    Snapshot,
    asked,
)
from cnc_station.engine.drivers.linuxcnc.watch import HARMLESS, Watch, words_of
from cnc_station.engine.drivers.linuxcnc.words import status_of
from cnc_station.engine.drivers.traffic import Traffic
from cnc_station.engine.views import (
    Abilities,
    Doing,
    DriverInfo,
    Identity,
    Message,
    Status,
)

BUSY_S = 0.02  # between two looks while something is waited for
CALM_S = 0.5  # between two looks while nothing of ours runs
CONFIRMED_S = 10.0  # how long a command may take to show
TAKEN_S = 10.0  # how long a stolen control keeps us away
STOP_WORDS = "program stop (M0)"
NO_CONNECTION = "there is no connection to the controller"


class LinuxCnc:
    """Implements `Driver`."""

    on_loss = OnLoss.INTERRUPT
    abilities = Abilities()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked = asked(settings.joints)
        self._traffic = Traffic()
        self._listeners: list[Callable[[Status], None]] = []
        self._status = Status(Doing.UNREACHABLE, "not connected yet")
        self._client: Client | None = None
        self._poller: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._mm = 1.0
        self._wait_word = "set_wait"
        self._now: Snapshot | None = None
        self._said = ""  # the last words of the error queue while the machine is off or stopped
        self._held_by_us = False
        self._in_control = False
        self._taken_at: float | None = None
        self._file = ""  # our own name of the program that is loaded
        self._ending: Ending | None = None
        self._watch: Watch | None = None

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        """From a machine's driver settings; raises ValueError."""
        return cls(Settings.make(settings))

    # --- the connection

    async def connect(self) -> Identity:
        """Says hello and asks; takes no control."""
        await self._hang_up()
        self._watch = None
        client = self._client = await self._said_hello()
        try:
            wait, old_wait, unit, ini = await client.ask(
                "wait_mode", "set_wait", "user_linear_units", "inifile"
            )
            self._wait_word = "wait_mode" if wait in {"RECEIVED", "DONE"} else "set_wait"
            self._mm = MM_IN.get(unit.upper(), 1.0)
            await self._refresh()
        except Unavailable as error:
            self._lose(error)
            raise
        self._poller = asyncio.create_task(self._poll())
        _, _, name, version = [*client.greeting.split(), "", ""][:4]
        dialect = f"{version}, {self._wait_word} {wait if old_wait == 'NAK' else old_wait}"
        return Identity(
            "LinuxCNC",
            (
                ("Name", name),
                ("linuxcncrsh", dialect.lower()),
                ("Configuration", ini),
                ("Units", unit.lower()),
            ),
        )

    async def _said_hello(self) -> Client:
        try:
            return await Client.connect(self._settings, self._traffic)
        except Unavailable as error:
            self._lose(error)
            raise

    async def close(self) -> None:
        """Hangs up; a program goes on."""
        await self._hang_up()
        self._tell(Status(Doing.UNREACHABLE, "closed"))

    async def _hang_up(self) -> None:
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)
        client, self._client = self._client, None
        self._in_control = False
        if client is not None:
            await client.close()

    async def _poll(self) -> None:
        with contextlib.suppress(Unavailable):  # everybody has been told
            while True:
                await self._refresh()
                busy = self._watch is not None and not self._watch.ended.is_set()
                self._hurry.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_s if busy else CALM_S):
                        await self._hurry.wait()

    async def _refresh(self) -> Snapshot:
        """Asks for everything, in one go. Raises Unavailable."""
        client = self._connected()
        try:
            answers = await client.ask(*self._asked)
        except Unavailable as error:
            self._lose(error)
            raise
        now = self._now = Snapshot.read(dict(zip(self._asked, answers, strict=True)), self._mm)
        await self._take(now)
        return now

    async def _take(self, now: Snapshot) -> None:
        at = asyncio.get_running_loop().time()
        if self._in_control and not now.enabled:
            self._in_control = False
            self._taken_at = at
        if now.error and not HARMLESS.search(now.error):
            self._said = now.error
        elif now.on and not now.estop:
            self._said = ""
        if now.state != PAUSED:
            self._held_by_us = False
        watch = self._watch
        if watch is not None:
            before = watch.note
            watch.see(now, at)
            if watch.note != before:
                await self._write_note(watch)
        self._tell(self._status_of(now))

    async def _write_note(self, watch: Watch) -> None:
        folder, name = self._settings.program_folder, self._file
        with contextlib.suppress(OSError):  # then nobody can prove that it ended, should we die
            await asyncio.to_thread(files.write_note, folder, name, watch.note)

    def _lose(self, error: Unavailable) -> None:
        self._client = None
        self._in_control = False
        if self._watch is not None and not self._watch.ended.is_set():
            self._watch.end(error)
        self._tell(
            Status(
                Doing.UNREACHABLE,
                str(error),
                "See that the controller is on and that its linuxcncrsh runs",
            )
        )

    def _connected(self) -> Client:
        if self._client is None:
            raise Unavailable(NO_CONNECTION)
        return self._client

    # --- a run

    async def load(self, order: Order, part: int) -> None:
        """Writes the program's bytes into a file of their own and has the controller open it."""
        if order.source is None:
            raise RunFailed("LinuxCNC makes parts from programs, and this job has none")
        self._must_be_ready(await self._refresh())
        name = files.name_of(order.run_id, part)
        ending = await asyncio.to_thread(_read, order)
        if not ending.closed:
            raise RunFailed("the program has no end (M2, M30 or %): LinuxCNC would break it off")
        folder = self._settings.program_folder
        try:
            await asyncio.to_thread(files.write_program, folder, name, order.source)
        except OSError as error:
            raise NotReady(f"the program can't be written: {error}") from error
        self._file, self._ending, self._watch = name, ending, None
        await self._take_control()
        await self._set(f"{self._wait_word} received")
        await self._drained()
        await self._set(f"open {self._path}")
        errors: list[str] = []

        def opened(now: Snapshot) -> bool:
            errors.extend([now.error] if now.error else [])
            return bool(errors) or (now.program == self._path and now.line == 0)

        now = await self._until(opened)
        errors += await self._drained()
        if errors or not opened(now):
            words = "; ".join(errors) or f"{self._path} was not opened"
            raise (NotReady if HARMLESS.search(words) else RunFailed)(words)

    async def start(self) -> None:
        """Runs what is open, and sees that it does."""
        if self._ending is None:
            raise Conflict("nothing is loaded")
        now = await self._refresh()
        if not self._in_control:
            raise NotReady("another session has taken control of the controller")
        self._must_be_ready(now)
        if now.program != self._path:
            raise NotReady(f"another program was opened: {now.program or 'none'}")
        await self._drained()
        at = asyncio.get_running_loop().time()
        watch = Watch(self._path, self._fitting(now), files.Note(now.place), at)
        await self._write_note(watch)
        self._watch = watch
        await self._set("run")
        self._hurry.set()
        now = await self._until(lambda now: watch.began or watch.ended.is_set() or _stays(now))
        if watch.ended.is_set() or watch.began:
            if isinstance(watch.verdict, RunFailed):
                raise watch.verdict
            return
        self._watch = None
        await self._stopped()
        words = "; ".join(watch.errors) or now.error or "the controller did not start the program"
        raise NotReady(words)

    def _fitting(self, now: Snapshot) -> Ending:
        """Started in another work offset than G54, the program ends in coordinates that the
        controller leaves at its end."""
        assert self._ending is not None
        if "G54" in now.codes:
            return self._ending
        return self._ending.anywhere()

    async def ended(self) -> None:
        """Until the verdict (see `Watch`)."""
        watch = self._watch
        if watch is None:
            raise Conflict("nothing runs")
        await watch.ended.wait()
        with contextlib.suppress(Unavailable, Refused):
            await self._give_control()
        if watch.verdict is not None:
            raise watch.verdict

    async def hold(self) -> None:
        """Pauses, and waits until the tool stands."""
        await self._must_run()
        await self._command("pause")
        places = []

        def stands(now: Snapshot) -> bool:
            places.append(now.place)
            return now.state == IDLE or (now.state == PAUSED and places[-2:-1] == [now.place])

        now = await self._until(stands)
        if now.state == IDLE:
            raise Conflict("the program has ended")
        if not stands(now):
            raise Unavailable("the controller has not confirmed the hold")
        self._held_by_us = True
        self._tell(self._status_of(now))

    async def resume(self) -> None:
        """Goes on after a hold, ours, the panel's or the program's."""
        if (await self._must_run()).state == RUNNING:
            return
        await self._command("resume")
        now = await self._until(lambda now: now.state != PAUSED)
        if now.state == PAUSED:
            raise Unavailable("the controller has not gone on")

    async def abort(self) -> None:
        """Ends the run; the tool stands when this returns."""
        watch = self._watch
        if watch is None or watch.ended.is_set():
            return
        self._connected()
        watch.aborting = True
        await self._stopped()
        await self._until(lambda _: watch.ended.is_set())
        if not watch.ended.is_set():
            raise Unavailable("the controller has not confirmed the abort")

    async def unlock(self) -> None:
        """Out of the emergency stop, then on. Homes nothing, moves nothing."""
        self._taken_at = None
        now = await self._refresh()
        if now.estop:
            await self._command("estop off")
            now = await self._until(lambda now: not now.estop)
        if now.estop:
            raise Conflict("the emergency stop is still pressed: release it at the machine first")
        if not now.on:
            await self._command("machine on")
            now = await self._until(lambda now: now.on)
        if not now.on:
            why = self._said or "the machine does not switch on"
            raise Conflict(f"{why}: see to it at the machine first")

    # --- after a restart

    async def look(self, order: Order) -> Found:
        """By the file that the controller has open; see `ending` for what proves an end."""
        now = await self._refresh()
        run = files.run_of(now.program)
        if run is None or run[0] != order.run_id or order.source is None:
            opened = now.program or "no program"
            return Found(Finding.STOPPED, f"the controller has {opened} open: not this run's")
        part = run[1]
        name = files.name_of(*run)
        folder = self._settings.program_folder
        note = await asyncio.to_thread(files.read_note, folder, name)
        self._file = name
        self._ending = await asyncio.to_thread(_read, order)
        if now.state != IDLE:
            at = asyncio.get_running_loop().time()
            known = note or files.Note(now.place)
            self._watch = Watch(now.program, self._fitting(now), known, at)
            self._watch.see(now, at)
            self._hurry.set()
            return Found(Finding.UNDER_WAY, f"in line {now.line}", part)
        if now.line == 0:
            return Found(Finding.STOPPED, "the program is open and was never started", part)
        return self._found_idle(now, note, self._ending, part)

    def _found_idle(
        self, now: Snapshot, note: files.Note | None, ending: Ending, part: int
    ) -> Found:
        stands = f"the controller is idle; the tool stands at {words_of(now)}"
        at_end = ending.known and ending.stands_at_end(now.place, z_is_work=now.z_is_work)
        if now.estop or not now.on:
            return Found(Finding.STOPPED, f"{self.status().why}; {stands}", part)
        if not at_end:
            reason = "that is not where the program ends"
        elif note is None or not note.late:
            reason = "the program ends there, but it may have been stopped there before"
        elif now.mode != "AUTO" or now.error:
            reason = now.error or f"it is in {now.mode} mode: somebody has been there"
        else:
            words = f"{stands}, where the program ends and nothing else leads at that stage"
            return Found(Finding.FINISHED, words, part)
        return Found(Finding.STOPPED, f"{stands}; {reason}", part)

    # --- telling

    def status(self) -> Status:
        """The latest."""
        return self._status

    def listen(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Each change."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def traffic(self) -> Sequence[Message]:
        """Without what is asked ten times a second and says nothing new."""
        return self._traffic.messages()

    def _tell(self, status: Status) -> None:
        if status == self._status:
            return
        self._status = status
        for listener in tuple(self._listeners):
            listener(status)

    def _status_of(self, now: Snapshot) -> Status:
        held = "held" if self._held_by_us else ""
        if not held and self._ending is not None and now.program == self._path:
            held = STOP_WORDS if now.line in self._ending.stops else ""
        since = self._taken_at
        taken = since is not None and asyncio.get_running_loop().time() - since < TAKEN_S
        return status_of(now, said=self._said, held=held, taken=taken)

    # --- small things

    @property
    def _path(self) -> str:
        return f"{self._settings.controller_folder}/{self._file}"

    def _must_be_ready(self, now: Snapshot) -> None:
        status = self._status_of(now)
        if status.doing in {Doing.RUNNING, Doing.HELD}:
            raise NotReady(f"another program is under way: {now.program}")
        if status.doing is not Doing.READY:
            raise NotReady(f"{status.why}. {status.remedy}")

    async def _must_run(self) -> Snapshot:
        now = await self._refresh()
        if now.state == IDLE:
            raise Conflict("nothing runs on the controller")
        return now

    async def _until(self, fact: Callable[[Snapshot], bool]) -> Snapshot:
        """Looks until it is so, or for CONFIRMED_S; the last snapshot."""
        loop = asyncio.get_running_loop()
        end = loop.time() + CONFIRMED_S
        while True:
            now = await self._refresh()
            if fact(now) or loop.time() > end:
                return now
            await asyncio.sleep(BUSY_S)

    async def _drained(self) -> list[str]:
        """What the error queue still held, which is empty afterwards."""
        found: list[str] = []
        while True:
            error, _ = await self._connected().ask("error", "plat")
            if error.upper() == "OK":
                return found
            found.append(error)

    async def _stopped(self) -> None:
        """Aborts whatever runs, and waits until nothing does."""
        await self._command("abort")
        now = await self._until(lambda now: now.state == IDLE)
        if now.state != IDLE:
            raise Unavailable("the controller has not confirmed the abort")

    async def _command(self, words: str) -> None:
        """Takes control for it, if need be from another session."""
        await self._take_control()
        await self._set(words)

    async def _set(self, words: str) -> None:
        client = self._connected()
        try:
            await client.set(words)
        except Unavailable as error:
            self._lose(error)
            raise

    async def _take_control(self) -> None:
        if (await self._connected().ask("enable"))[0].upper() != "ON":
            try:
                await self._set(f"enable {self._settings.enable_password}")
            except Refused as error:
                raise NotReady("the controller refuses the enable password") from error
        self._in_control = True

    async def _give_control(self) -> None:
        """Unless somebody else has it."""
        if self._in_control and (await self._refresh()).enabled:
            self._in_control = False
            await self._set("enable off")


def _read(order: Order) -> Ending:
    assert order.source is not None
    return ending_of(order.program or read(order.source), order.source)


def _stays(now: Snapshot) -> bool:
    """Refused: idle, with nothing done, and a reason."""
    return now.state == IDLE and now.line == 0 and bool(now.error)


KIND = DriverKind(
    DriverInfo("linuxcnc", "LinuxCNC", settings=FIELDS, abilities=LinuxCnc.abilities, real=True),
    LinuxCnc.make,
)
