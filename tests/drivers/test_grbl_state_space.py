"""Any sequence of events at a fake GRBL: what its driver knows, and where the tool really is.

The test keeps the truth: how far the controller's count is from the true position, and whether this
can be known. `HYPOTHESIS_PROFILE=long` runs some hundred sequences.
"""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import EndUnproven, NotReady, RunAborted, RunFailed
from cnc_station.engine.views import Doing
from tests.drivers.grbl_axes import Place
from tests.drivers.grbl_bench import QUICK, Bench, bench, order
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until

EAGER = replace(QUICK, poll=0.005, poll_running=0.005, idle=0.4, stop=2.0)
SPEED, SLOW = 4000.0, 20.0
PRESET_MM = 10.0
ZERO: Place = (0.0, 0.0, 0.0)
LONG = b"G21G90\nG0X1Y1\nG1X600F1200\nX0\nM30\n"
JOBS: dict[str, tuple[bytes, Place]] = {
    "mm": (b"G21G90\nG0X5Y5Z0\nG1X7F1200\nM30\n", (7.0, 5.0, 0.0)),
    "unstated": (b"G0X3Y3Z0\nG1X4F600\n", (4.0, 3.0, 0.0)),
    "rapids": (b"G0X2Y2Z0\n", (2.0, 2.0, 0.0)),
    "inch": (b"G20G90\nG0X1Y1Z0\nM30\n", (25.4, 25.4, 0.0)),
    "G91": (b"G21G90\nG0X1Y1Z0\nG91\nG1X2F600\n", (3.0, 1.0, 0.0)),
    "G93": (b"G21G90G93\nG1X8Y1Z0F60\n", (8.0, 1.0, 0.0)),
    "home again": (b"G21G90\nG1X1Y1F2000\nX0Y0Z0\nM30\n", ZERO),
    "G55": (b"G21G90\nG10L2P2X100Y0Z0\nG55G0X0Y0Z0\n", (100.0, 0.0, 0.0)),
    "G92": (b"G21G90\nG0X10Y0Z0\nG92X0\nG0X1\nM30\n", (PRESET_MM + 1.0, 0.0, 0.0)),
}
STEPS = (
    *(("job", kind) for kind in JOBS),
    *(("cut", how) for how in ("abort", "reset", "power", "cable", "alarm")),
    *(("alarm", code) for code in ("1", "3")),
    *((what, how) for what in ("reset", "power") for how in ("greeted", "silent")),
    *(("replug", how) for how in ("same", "moved", "off", "another")),
    ("kill", ""),
    ("unlock", "here"),
    ("unlock", "pendant"),
    ("home", ""),
    ("confirm", ""),
    ("confirm", ""),
)
assert settings.default is not None
_EXAMPLES = max(30, settings.default.max_examples // 5)
sequences = st.lists(st.sampled_from(STEPS), min_size=3, max_size=9)


@dataclass
class Truth:
    """`shift`: true position minus counted position. `known`: None where either is right."""

    at: Bench
    shift: Place = ZERO
    known: bool | None = True
    preset: float = 0.0
    moves: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Fail on every move that is queued while the position is lost."""
        queue = self.at.fake.axes.queue

        def queued(target: Place, feed: float, now: float) -> None:
            assert self.known is not False, f"moved to {target} from a lost position"
            queue(target, feed, now)

        self.at.fake.axes.queue = queued  # type: ignore[method-assign]  # the fake is watched

    @property
    def place(self) -> Place:
        return _plus(self.at.fake.axes.place, self.shift)

    def lose(self, drift: float = 0.0) -> None:
        self.known, self.shift = False, _plus(self.shift, (drift, 0.0, 0.0))

    def switch_off(self) -> bool:
        """Return whether anything important was lost."""
        counted = self.at.fake.axes.place
        forgot = counted != ZERO or bool(self.preset)
        self.shift, self.preset = _plus(self.shift, counted), 0.0
        self.at.fake.switch_off_and_on()
        return forgot

    def doubt(self, *, certain: bool) -> None:
        """Lose the position, certainly or possibly."""
        self.known = False if certain or self.known is False else None

    # --- steps ---

    async def job(self, kind: str) -> None:
        source, end = JOBS[kind]
        if not await self._begins(source):
            return
        offset = self.shift if kind == "G55" else ZERO
        expected = _plus(_plus(end, offset), (self.preset, 0.0, 0.0))
        await asyncio.wait_for(self.at.driver.ended(), 20)
        assert self.place == pytest.approx(expected, abs=0.001), kind
        if kind == "G92":
            self.preset += PRESET_MM

    async def _begins(self, source: bytes) -> bool:
        try:
            await self.at.driver.load(order(source), 1)
            await self.at.driver.start()
        except NotReady:
            if self.known:  # nothing contradicts it
                raise
            self.known = False
            return False
        assert self.known is not False, "started on a lost position"
        return True

    async def cut(self, how: str) -> None:
        """Interrupt a run in the middle."""
        fake = self.at.fake
        fake.axes.speed = SLOW
        try:
            if await self._begins(LONG):
                ending = asyncio.create_task(self.at.driver.ended())
                await until(lambda: fake.axes.moving)
                await self._break_off(how)
                with pytest.raises((RunFailed, RunAborted, Unavailable, EndUnproven)):
                    await asyncio.wait_for(ending, 20)
                if how == "cable":
                    fake.axes.stop_dead()
                    fake.buffer.clear()
                    await self._put_back()
        finally:
            fake.axes.speed = SPEED

    async def _break_off(self, how: str) -> None:
        fake = self.at.fake
        if how == "abort":
            await self.at.driver.abort()
            self.known, self.preset = not self.preset, 0.0
        elif how == "reset":
            self.lose(0.3)
            self.preset = 0.0
            fake.reset()
        elif how == "power":
            self.lose()
            self.switch_off()
        elif how == "cable":
            self.lose()
            await self.at.wire.pull_out()
        else:
            self.lose(0.5)
            fake.raise_alarm(1)

    async def alarm(self, code: str) -> None:
        self.lose(0.5)
        self.at.fake.raise_alarm(int(code))
        await self.at.shows(Doing.ALARM)

    async def reset(self, how: str) -> None:
        self.doubt(certain=how == "greeted" or bool(self.preset))
        self.preset = 0.0
        self.at.fake.welcome = None if how == "greeted" else ""
        self.at.fake.reset()
        self.at.fake.welcome = None

    async def power(self, how: str) -> None:
        self.at.fake.welcome = None if how == "greeted" else ""
        forgot = self.switch_off()
        self.at.fake.welcome = None
        self.doubt(certain=forgot or how == "greeted")

    async def replug(self, how: str) -> None:
        fake = self.at.fake
        await self.at.wire.pull_out()
        await self.at.shows(Doing.UNREACHABLE)
        if how == "same":
            if fake.axes.place == ZERO:  # it could have been switched off and on
                self.doubt(certain=False)
        else:
            self.lose()
        if how == "moved":
            fake.axes.place = _plus(fake.axes.place, (3.0, 0.0, 0.0))
        elif how == "off":
            self.switch_off()
        elif how == "another":
            fake.settings = [f"${100 + len(fake.settings)}=80", *fake.settings]
        await self._put_back()

    def _press_reset(self) -> None:
        """Press reset: after some alarms a GRBL 1.1 answers nothing before that."""
        if self.at.fake.mute:
            self.at.fake.reset()
            self.preset = 0.0

    async def _put_back(self) -> None:
        self._press_reset()
        await self.at.wire.put_back()
        await self.at.driver.connect()

    async def kill(self, _: str) -> None:
        self.lose()
        self._press_reset()
        await self.at.restart_station()

    async def unlock(self, where: str) -> None:
        fake = self.at.fake
        if not fake.locked:
            return
        if where == "here":
            await self.at.driver.unlock()
        else:
            await self.at.shows(Doing.ALARM)
            self._press_reset()
            fake.locked = False
            await until(lambda: self.at.driver.status().doing is not Doing.ALARM)
        self.preset = fake.program.preset[0]  # the driver may have had to reset it

    async def home(self, _: str) -> None:
        """Home; the zeros that were stored in between are corrected."""
        fake = self.at.fake
        fake.mute = False
        fake.home(0.1)
        self.shift, self.known = ZERO, None  # a busy computer may not see it home
        fake.memory.offsets.pop("G54", None)
        await until(lambda: not fake.homes)

    async def confirm(self, _: str) -> None:
        """A person sets the work zero, then confirms it."""
        fake = self.at.fake
        if fake.locked:
            with pytest.raises(Conflict):
                await self.at.driver.confirm_position()
            return
        x, y, z = self.shift
        fake.memory.offsets["G54"] = (-x, -y, -z)
        fake.program.preset, self.preset = ZERO, 0.0
        try:
            await self.at.driver.confirm_position()
        except Conflict:  # it has not noticed the reset: the person does what it asks
            await self.at.driver.unlock()
            await self.at.driver.confirm_position()
        self.known = True


def _plus(one: Place, other: Place) -> Place:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2])


async def _go_through(steps: list[tuple[str, str]], *, hal: bool) -> None:
    async with bench(FakeGrbl(hal=hal, speed=SPEED), patience=EAGER) as at:
        at.fake.axes.lag = 0.0
        truth = Truth(at)
        truth.watch()
        for what, how in steps:
            await getattr(truth, what)(how)
        await truth.job("unstated")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("dialect", ["grbl", "grblHAL"])
@settings(max_examples=_EXAMPLES, phases=[Phase.generate])  # shrinking one takes minutes
@given(steps=sequences)
def test_no_move_is_made_from_a_lost_position_or_in_other_modes(
    dialect: str, steps: list[tuple[str, str]]
) -> None:
    asyncio.run(_go_through(steps, hal=dialect == "grblHAL"))
