"""No part is reported as done that was not made, whatever goes wrong."""

import asyncio
from collections.abc import Callable
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.drivers.base import NotReady
from tests.drivers.grbl_bench import ASKED_BEFORE, HASTY, Bench, bench, sent, square
from tests.drivers.grbl_fake import FakeGrbl

PROGRAM = square(24)
LINES = len(sent(PROGRAM))
Mischief = Callable[[Bench], object]

WHAT: dict[str, Mischief] = {
    "reset": lambda at: at.fake.reset(),
    "switched off and on": lambda at: at.fake.switch_off_and_on(),
    "hard limit": lambda at: at.fake.raise_alarm(1),
    "probe alarm": lambda at: at.fake.raise_alarm(5),
    "error": lambda at: at.fake.errors.update({at.fake.lines + 1: 33}),
    "dropped ok": lambda at: at.fake.swallowed.add(at.fake.lines + 1),
    "stall": lambda at: setattr(at.fake, "stalled", True),
    "deaf": lambda at: setattr(at.fake, "deaf", True),
    "cable": lambda at: at.later(at.wire.pull_out()),
    "cable out and in": lambda at: at.later(_wobble(at)),
    "garbage": lambda at: at.fake.say("\x00<Run|MPos:ok"),
    "an ok too many": lambda at: at.fake.say("ok"),
    "a hold at the panel": lambda at: at.later(_held_at_the_panel(at)),
}


async def _wobble(at: Bench) -> None:
    await at.wire.pull_out()
    await at.wire.put_back()


async def _held_at_the_panel(at: Bench) -> None:
    at.fake.take(b"!")
    await asyncio.sleep(0.1)
    at.fake.take(b"~")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    hal=st.booleans(),
    speed=st.sampled_from([60.0, 300.0]),
    mischief=st.dictionaries(st.integers(1, LINES), st.sampled_from(sorted(WHAT)), max_size=2),
    lost=st.sets(st.integers(0, len(PROGRAM)), max_size=2),
)
def test_no_part_is_reported_as_done_that_was_not_made(
    hal: bool, speed: float, mischief: dict[int, str], lost: set[int]
) -> None:
    asyncio.run(_part(hal, speed, mischief, lost))


async def _part(hal: bool, speed: float, mischief: dict[int, str], lost: set[int]) -> None:
    fake = FakeGrbl(hal=hal, speed=speed)
    async with bench(fake, patience=HASTY) as at, asyncio.timeout(30):
        for line, what in mischief.items():
            fake.at[line] = partial(WHAT[what], at)
        # Other lost bytes leave a valid line: see the driver's docstring. So does a lost line end
        # whose missing ok an ok too many makes up for.
        seen = b"G" if "an ok too many" in mischief.values() else b"\nG"
        fake.buffer.lost = {
            ASKED_BEFORE + i for i in lost if PROGRAM[i : i + 1] and PROGRAM[i] in seen
        }
        resets = fake.resets
        try:
            await at.make(PROGRAM)
        except NotReady:
            assert fake.taken == []
        except CncStationError:
            pass
        else:
            assert fake.taken == list(sent(PROGRAM))
            assert fake.axes.place == (0.0, 0.0, 0.0)
            assert not fake.axes.blocks
            assert fake.resets == resets
        assert fake.buffer.overflowed == 0 or fake.resets or "an ok too many" in mischief.values()
        await at.settle()
