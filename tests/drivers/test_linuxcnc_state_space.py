"""Any sequence of events at a real LinuxCNC: what its driver does, and where the tool really is.

The truth is what the panel of the controller shows: its switches, its mode and the tool position in
machine coordinates. `HYPOTHESIS_PROFILE=long` runs some hundred sequences.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain.nc import read
from cnc_station.engine.domain.nc.program import Point
from cnc_station.engine.drivers import base
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.drivers.linuxcnc_programs import driver_of, order_of
from tests.until import until

ZEROS: dict[str, Point] = {"G54": (4.0, 3.0, 1.0), "G55": (12.0, 8.0, 2.0)}
STATED = "G17 G40 G49 G54 G64 G90 G94 G97"
JOBS = {
    "mm": f"G21 {STATED}\nG0 X5 Y5 Z6\nG1 X7 F1200\nM2\n",
    "inch": f"%\nG20 {STATED}\nG0 X0.2 Y0.1 Z0.3\nG1 X0.3 F50\n%\n",
    "G91": f"%\nG21 {STATED}\nG0 X1 Y1 Z6\nG91\nG1 X2 F600\n%\n",
    "G93": f"%\nG21 {STATED}\nG0 X2 Y1 Z6\nG93\nG1 X8 F120\n%\n",
    "unstated": "G0 X3 Y3 Z8\nG1 X4 F600\nM2\n",
    "G55": f"%\nG21 {STATED}\nG55\nG0 X1 Y2 Z6\n%\n",
    "G55 set": f"%\nG21 {STATED}\nG10 L2 P2 X15 Y6 Z0\nG55\nG0 X1 Y2 Z6\n%\n",
}
LONG = f"G21 {STATED}\nG0 X0 Y0 Z5\nG1 X12 F1200\nY12\nX0\nY0\nG0 Z10\nM2\n"
LONG_G55 = LONG.replace("G1 X12", "G55\nG1 X12").replace("M2", "G54\nM2")
Step = tuple[str, str]
STEPS: tuple[Step, ...] = (
    *(("job", kind) for kind in JOBS),
    *2 * (("job", "unstated"),),
    *(("cut", how) for how in ("abort", "estop", "off", "stop", "switch", "kill", "kill and stop")),
    *(("between", how) for how in ("estop", "off", "G20", "manual")),
    *(("hand", words) for words in ("G20", "G91", "G55", "G93 G18")),
    ("mdi", "G20 G91"),
    *(("unlock", where) for where in ("here", "panel")),
    *((what, "") for what in ("estop", "off", "power", "kill", "home", "auto")),
    *3 * (("recover", ""),),
)
assert settings.default is not None
_EXAMPLES = settings.default.max_examples // 33


@dataclass
class Truth:
    """`zeros`: the real work offsets."""

    mill: linuxcnc.LinuxCnc
    panel: linuxcnc.Panel
    driver: LinuxCnc
    zeros: dict[str, Point] = field(default_factory=lambda: dict(ZEROS))

    @property
    def place(self) -> Point:
        x, y, z = map(float, self.panel.get("abs_act_pos").split()[:3])
        return (x, y, z)

    @property
    def on(self) -> bool:
        return (self.panel.get("estop"), self.panel.get("machine")) == ("OFF", "ON")

    @property
    def homed(self) -> bool:
        return self.panel.get("joint_homed").startswith("YES YES YES")

    @property
    def ready(self) -> bool:
        return self.on and self.homed and self.panel.get("mode") == "AUTO"

    async def agree(self) -> None:
        """Check that the driver sees the machine as it is, and that nothing moves."""
        assert self.panel.get("program_status") == "IDLE"
        await self.driver.link.read_snapshot()
        self.driver.link.allow_control()  # the panel had to take control
        await self.driver.link.read_snapshot()
        status = self.driver.status()
        assert (status.doing is Doing.READY) is self.ready, status
        assert (status.doing is Doing.ALARM) is (self.panel.get("estop") == "ON"), status

    def set_zeros(self) -> None:
        """A person sets the zeros, and the modes that a program expects."""
        self.zeros = dict(ZEROS)
        _set_zeros(self.panel, *ZEROS.values())

    # --- steps ---

    async def job(self, kind: str) -> None:
        if await self._begins(order_of(JOBS[kind])):
            if kind == "G55 set":
                self.zeros["G55"] = (15.0, 6.0, 0.0)
            try:
                await asyncio.wait_for(self.driver.ended(), 20)
            except base.EndUnproven:
                assert kind.startswith("G55")  # the end of this program is unknown
            assert self.place == pytest.approx(self._end_of(kind), abs=0.002), kind

    def _end_of(self, kind: str) -> Point:
        """Return the end in the preview. A program that sets G55 itself is shown in machine
        coordinates."""
        moves = read(JOBS[kind].encode()).moves
        end = moves.end(len(moves) - 1)
        if kind == "G55 set":
            return end
        return _plus(end, self.zeros["G55" if kind == "G55" else "G54"])

    async def _begins(self, order: base.Order) -> bool:
        ready, before = self.ready, self.place
        try:
            await self.driver.load(order, 1)
            assert self.place == before, "setting the modes moved it"
            await self.driver.start()
        except base.NotReady:
            assert not ready
            self._stands(before)
            return False
        assert ready, "started on a machine that is not ready"
        return True

    def _stands(self, before: Point) -> None:
        assert self.panel.get("program_status") == "IDLE"
        assert self.place == before

    async def cut(self, how: str) -> None:
        """Interrupt a run in the middle, or see its end after a restart of the station."""
        order = order_of(LONG_G55 if how == "switch" else LONG)
        if not await self._begins(order):
            return
        x, _, z = self.zeros["G54"]
        await until(lambda: self.place[2] == z + 5.0 and self.place[0] > x + 2.0)
        if how.startswith("kill"):
            await self._cut_unwatched(order, stop=how != "kill")
            return
        if how == "abort":
            await self.driver.abort()
        elif how in {"stop", "switch"}:
            self.panel.set("abort")
            if how == "switch":  # at once, in a program that works in G55
                self.panel.make("mode", "manual")
        else:
            await getattr(self, how)("")
        with pytest.raises((base.RunFailed, base.RunAborted, base.EndUnproven)):
            await asyncio.wait_for(self.driver.ended(), 20)

    async def _cut_unwatched(self, order: base.Order, *, stop: bool) -> None:
        await self.driver.close()
        if stop:
            self.panel.set("abort")
            self.panel.wait("program_status", "IDLE")
        await self.kill("")
        found = await self.driver.inspect_run(order)
        assert found.outcome is (base.RunOutcome.STOPPED if stop else base.RunOutcome.UNDER_WAY), (
            found
        )
        if not stop:
            await asyncio.wait_for(self.driver.ended(), 20)
            end = _plus((0.0, 0.0, 10.0), self.zeros["G54"])
            assert self.place == pytest.approx(end, abs=0.002)

    async def between(self, how: str) -> None:
        """Change something between the load and the start of a program."""
        if not self.ready:
            return
        before = self.place
        await self.driver.load(order_of(JOBS["unstated"]), 1)
        if how == "manual":
            self.panel.make("mode", "manual")
        else:
            await (self.hand(how) if how == "G20" else getattr(self, how)(""))
        await self.driver.link.read_snapshot()
        await self.driver.link.take_control()
        self.driver.link.allow_control()  # the program must not start even with control
        with pytest.raises(base.NotReady):
            await self.driver.start()
        self._stands(before)

    async def hand(self, words: str) -> None:
        """Run a line in MDI, then go back to AUTO."""
        if self.on and self.homed:
            await self.mdi(words)
            self.panel.make("mode", "auto")

    async def mdi(self, words: str) -> None:
        """Run a line in MDI, and stay there."""
        if self.on and self.homed:
            self.panel.command(words)

    async def estop(self, _: str) -> None:
        self.panel.make("estop", "on")

    async def off(self, _: str) -> None:
        self.panel.make("machine", "off")

    async def power(self, _: str) -> None:
        """Restart the whole controller: it is then in the emergency stop and not homed."""
        with self.panel:
            self.mill.stop()
        self.mill.start()
        self.panel = self.mill.panel
        await self.driver.connect()
        assert not self.homed

    async def kill(self, _: str) -> None:
        """Restart the station: it has the memory of the one before."""
        memory = self.driver.memory()
        await self.driver.close()
        self.driver = driver_of(self.mill)
        self.driver.recall(memory)
        await self.driver.connect()
        assert self.driver.memory() == memory

    async def unlock(self, where: str) -> None:
        before = self.place
        if where == "here":
            await self.driver.unlock()
        else:
            self.panel.switch_on()
        assert self.on
        self._stands(before)

    async def home(self, _: str) -> None:
        """Home. A restarted controller may have lost its zeros: they are set again."""
        if self.on and not self.homed:
            self.panel.home()
            self.set_zeros()

    async def auto(self, _: str) -> None:
        """Switch to AUTO, also if not homed, where the controller allows it."""
        if self.on:
            self.panel.make("mode", "auto")

    async def recover(self, _: str = "") -> None:
        """Do all that a person does until the machine is ready."""
        for step in (self.unlock, self.home, self.auto):
            await step("here")
            await self.agree()
        assert self.ready


def _plus(one: Point, other: Point) -> Point:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2])


def _set_zeros(panel: linuxcnc.Panel, *zeros: Point) -> None:
    panel.make("mode", "mdi")
    for number, (x, y, z) in enumerate(zeros, 1):
        panel.set(f"mdi G21 {STATED} G10 L2 P{number} X{x} Y{y} Z{z}")
    panel.command("G0 X0 Y0 Z6")
    panel.make("mode", "auto")


@pytest.fixture(scope="module")
def zeroed(mill: linuxcnc.LinuxCnc) -> Iterator[linuxcnc.LinuxCnc]:
    """Restore the zeros afterwards: other tests have theirs at the machine zero."""
    yield mill
    with mill.panel as panel:
        panel.make_ready()
        _set_zeros(panel, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


@asynccontextmanager
async def _known_state(mill: linuxcnc.LinuxCnc) -> AsyncIterator[Truth]:
    """The machine is ready, its modes are those of a program, and the station has just started."""
    truth = Truth(mill, mill.panel, driver_of(mill))
    truth.panel.make_ready()
    truth.set_zeros()
    await truth.driver.connect()
    try:
        yield truth
    finally:
        with truth.panel:
            await truth.driver.close()


@pytest.mark.timeout(3600)
@pytest.mark.xdist_group("linuxcnc")
@settings(max_examples=_EXAMPLES)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=6))
@example(
    steps=[("job", "G55"), ("cut", "switch"), ("auto", ""), ("job", "unstated"), ("cut", "abort")]
)
@example(steps=[("job", "inch"), ("kill", ""), ("between", "G20"), ("job", "G91"), ("estop", "")])
@example(steps=[("power", ""), ("job", "mm"), ("unlock", "panel"), ("auto", ""), ("job", "G93")])
async def test_a_part_is_made_where_its_preview_shows_it_or_not_started(
    zeroed: linuxcnc.LinuxCnc, steps: list[Step]
) -> None:
    async with _known_state(zeroed) as truth:
        for what, how in steps:
            await getattr(truth, what)(how)
            await truth.agree()
        await truth.recover()
        await truth.job("unstated")
        await truth.agree()
