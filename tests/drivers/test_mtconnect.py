"""The MTConnect driver: what a machine reports, and the result of a part."""

import pytest

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import RunAborted, RunFailed, RunOutcome
from cnc_station.engine.drivers.mtconnect import KIND, MTConnect
from cnc_station.engine.views import Doing, Status
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.watched import PROGRAM, SETTLE_S, begin, doing, order, still_waits
from tests.until import until


class Clock:
    """The clock of a driver; it advances only on request."""

    def __init__(self) -> None:
        self.now = 0.0

    def go_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(watcher: MTConnect, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watcher, "now", lambda: clock.now)
    return clock


async def test_connecting_returns_the_identity_and_publishes_the_state(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.say(pgm="OTHER.NC", line="42", tool="7", pos="1.5 -2 30", feed="20", fovr="80")

    identity = await watcher.connect()

    assert identity.controller == "MTConnect agent 1.3"
    assert ("Device", "MILL-1") in identity.details
    assert ("Maker", "Acme") in identity.details
    assert watcher.status() == Status(
        Doing.READY,
        program="OTHER.NC",
        line=42,
        x=1.5,
        y=-2.0,
        z=30.0,
        feed_mm_min=1200.0,
        tool=7,
        feed_override=0.8,
        parts=12,
    )


async def test_a_program_that_begins_by_itself_and_completes_is_a_part(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())
    assert await still_waits(started)

    agent.say(exec="ACTIVE", pgm="//CNC_MEM/USER/PLATE.NC")
    await started
    assert watcher.status().doing is Doing.RUNNING

    ended = begin(watcher.ended())
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await ended
    assert watcher.status().parts == 13


async def test_a_part_counter_that_goes_up_proves_the_end_of_a_machine_that_only_goes_ready(
    agent: FakeAgent, watcher: MTConnect, clock: Clock
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    clock.go_on(SETTLE_S * 1.2)

    ended = begin(watcher.ended())
    agent.say(exec="READY")
    await doing(watcher, Doing.READY)
    assert await still_waits(ended)
    agent.say(count="13")
    await ended


async def test_an_unproven_end_is_left_to_a_person(
    agent: FakeAgent, watcher: MTConnect, clock: Clock
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    ended = begin(watcher.ended())
    clock.go_on(SETTLE_S * 1.2)

    agent.say(exec="READY")
    await until(lambda: "does not report how" in watcher.status().why)
    clock.go_on(SETTLE_S * 1.2)
    assert not ended.done()
    agent.say(count="13")  # too late to belong to this part with certainty
    await until(lambda: watcher.status().parts == 13)
    assert await still_waits(ended)
    ended.cancel()


@pytest.mark.parametrize("stop", ["STOPPED", "INTERRUPTED", "FEED_HOLD"])
async def test_a_program_that_is_stopped_and_reset_fails(
    agent: FakeAgent, watcher: MTConnect, stop: str
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()

    ended = begin(watcher.ended())
    agent.fault("spindle overload", "SP9031")
    agent.say(exec=stop)
    await doing(watcher, Doing.ALARM)
    assert watcher.status().why == "spindle overload (SP9031)"
    assert not ended.done()
    agent.say(exec="READY")

    with pytest.raises(RunFailed, match="spindle overload") as failed:
        await ended
    assert failed.value.alarm


@pytest.mark.parametrize(
    ("execution", "words"),
    [
        ("FEED_HOLD", "feed hold"),
        ("INTERRUPTED", "interrupted"),
        ("PROGRAM_STOPPED", "program stop (M0)"),
        ("OPTIONAL_STOP", "optional stop (M1)"),
    ],
)
async def test_a_hold_is_reported_and_is_not_an_end(
    agent: FakeAgent, watcher: MTConnect, execution: str, words: str
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    ended = begin(watcher.ended())

    agent.say(exec=execution)
    await doing(watcher, Doing.HELD)
    assert watcher.status().why == words
    assert await still_waits(ended)
    agent.say(exec="ACTIVE")
    await doing(watcher, Doing.RUNNING)
    agent.say(exec="PROGRAM_COMPLETED")
    await ended


async def test_every_command_is_refused(agent: FakeAgent, watcher: MTConnect) -> None:
    await watcher.connect()
    assert not any((watcher.abilities.starts, watcher.abilities.holds, watcher.abilities.aborts))
    for call in (watcher.hold, watcher.resume):
        with pytest.raises(Conflict, match="use its own panel"):
            await call()
    agent.fault("coolant low", "C1")
    await doing(watcher, Doing.ALARM)
    with pytest.raises(Conflict, match=r"coolant low \(C1\)"):
        await watcher.unlock()
    agent.normal()
    await doing(watcher, Doing.READY)
    await watcher.unlock()


async def test_releasing_a_run_ends_it_here_and_sends_nothing_to_the_machine(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    ended = begin(watcher.ended())

    await watcher.abort()
    with pytest.raises(RunAborted):
        await ended
    assert watcher.status().doing is Doing.RUNNING


async def test_another_program_never_counts(agent: FakeAgent, watcher: MTConnect) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())

    agent.say(exec="ACTIVE", pgm="OTHER.NC")
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    agent.say(exec="READY")
    await until(lambda: watcher.status().parts == 13)
    assert await still_waits(started)
    started.cancel()


async def test_a_machine_that_names_no_program_waits_for_a_person(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())
    agent.say(exec="ACTIVE")
    await doing(watcher, Doing.RUNNING)
    assert await still_waits(started)
    started.cancel()

    ended = begin(watcher.ended())  # a person confirmed that it was started
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await until(lambda: watcher.status().parts == 13)
    assert await still_waits(ended)
    ended.cancel()


async def test_what_ran_before_the_order_is_not_its_begin_unless_a_person_confirms_it(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.say(exec="ACTIVE", pgm=PROGRAM)
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())
    assert await still_waits(started)
    started.cancel()

    ended = begin(watcher.ended())
    assert await still_waits(ended)
    agent.say(exec="PROGRAM_COMPLETED")
    await ended


async def test_the_next_part_may_have_begun_before_it_is_ordered(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(parts=2), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    agent.say(exec="PROGRAM_COMPLETED")
    await watcher.ended()
    agent.say(exec="ACTIVE")
    await doing(watcher, Doing.RUNNING)

    await watcher.load(order(parts=2), 2)
    await watcher.start()
    agent.say(exec="PROGRAM_COMPLETED")
    await watcher.ended()


async def test_a_part_made_before_its_order_is_the_next_one(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(parts=2), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    agent.say(exec="PROGRAM_COMPLETED")
    agent.say(exec="ACTIVE")
    agent.say(exec="PROGRAM_COMPLETED")
    agent.say(exec="READY")
    await watcher.ended()
    await watcher.load(order(parts=2), 2)
    await watcher.start()
    await watcher.ended()


async def test_manual_mode_and_emergency_stop_are_not_ready(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    agent.say(mode="MANUAL")
    await doing(watcher, Doing.NOT_READY)
    assert watcher.status().why == "in manual mode"
    agent.say(estop="TRIGGERED")
    await doing(watcher, Doing.ALARM)
    assert watcher.status().why == "emergency stop"
    await watcher.load(order(), 1)  # it may still be set up at its panel


async def test_closing_ends_what_waits_and_may_be_repeated(watcher: MTConnect) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())
    assert await still_waits(started)
    await watcher.close()
    await watcher.close()
    with pytest.raises(Unavailable):
        await started


def test_invalid_settings_are_refused_with_a_sentence() -> None:
    for url in ("", "ftp://mill", "http://"):
        with pytest.raises(ValueError, match="like http"):
            KIND.make({"url": url})
    for heartbeat in ("often", "0.01"):
        with pytest.raises(ValueError, match=r"the heartbeat must be from 0\.1 to 60 seconds"):
            KIND.make({"url": "mill:5000", "heartbeat": heartbeat})
    KIND.make({"url": "mill:5000"})


async def test_after_a_restart_of_the_station_only_a_running_program_is_reattached(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.connect()
    assert (await watcher.inspect_run(order(name="other.nc"))).outcome is RunOutcome.STOPPED
    assert (await watcher.inspect_run(order())).outcome is RunOutcome.UNDER_WAY
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await watcher.ended()

    found = await watcher.inspect_run(order(run_id=8))
    assert found.outcome is RunOutcome.STOPPED
    assert (
        found.detail
        == "The machine reports: program completed, program plate.nc, part counter at 13."
    )
