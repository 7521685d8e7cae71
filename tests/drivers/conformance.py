"""What every driver has to do, whatever controller it speaks to.

A driver joins by a subclass in test_conformance.py whose `bench` fixture gives its counterpart. The
seam's docstrings (drivers/base.py) are the promises; each test here holds one of them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import (
    Driver,
    EndUnproven,
    NotReady,
    OnLoss,
    Order,
    RunAborted,
    RunFailed,
    RunOutcome,
)
from cnc_station.engine.views import Doing, Status
from tests.until import until


@dataclass(slots=True)
class Bench:
    """A driver that is not connected yet, and its counterpart, which is ready to work.

    `nowhere` is a driver of the same kind with nobody at its address. `short` ends within seconds,
    `long` lasts for some. On a machine that is only watched, `begin` and `finish` are what somebody
    does at its panel.

    The rest is for a driver that starts, each None where its controller can't do such a thing:
    `leave_modes` is done by whoever used it before (inches, increments), and `unstated` is an order
    for a program that states no modes and ends at X5 Y5; `place` is where the tool really is, in
    mm; `lose_position` makes the controller forget where it is while nothing runs, and `stop_short`
    ends a run before its end without saying so. `next_life` makes another driver for the same
    machine.
    """

    driver: Driver
    nowhere: Driver
    short: Order
    long: Order
    begin: Callable[[], Awaitable[None]] | None = None
    finish: Callable[[], Awaitable[None]] | None = None
    leave_modes: Callable[[], Awaitable[None]] | None = None
    unstated: Order | None = None
    place: Callable[[], tuple[float, ...]] | None = None
    lose_position: Callable[[], Awaitable[None]] | None = None
    stop_short: Callable[[], Awaitable[None]] | None = None
    next_life: Callable[[], Driver] | None = None
    seen: list[Status] = field(default_factory=list)

    def doing(self) -> list[Doing]:
        """What was heard of, repetitions left out."""
        heard = [status.doing for status in self.seen]
        return [doing for i, doing in enumerate(heard) if i == 0 or heard[i - 1] is not doing]


@asynccontextmanager
async def connected(bench: Bench) -> AsyncIterator[Driver]:
    """Listened to, ready, and let go of afterwards, with no task left behind."""
    before = asyncio.all_tasks()
    deaf = bench.driver.subscribe(bench.seen.append)
    await bench.driver.connect()
    await until(lambda: bench.driver.status().doing is Doing.READY)
    try:
        yield bench.driver
    finally:
        await bench.driver.close()
        deaf()
    await until(lambda: asyncio.all_tasks() <= before)


class EveryDriver:
    """Of whatever kind."""

    async def test_it_says_that_nothing_is_known_before_it_has_connected(
        self, bench: Bench
    ) -> None:
        assert bench.driver.status().doing is Doing.UNREACHABLE
        assert list(bench.driver.traffic()) == []
        await bench.driver.close()

    async def test_it_says_plainly_that_nobody_answers(self, bench: Bench) -> None:
        with pytest.raises(Unavailable) as refused:
            await bench.nowhere.connect()
        assert str(refused.value)
        assert bench.nowhere.status().doing is Doing.UNREACHABLE
        await bench.nowhere.close()

    async def test_it_says_who_answered_and_keeps_what_went_over_the_wire(
        self, bench: Bench
    ) -> None:
        async with connected(bench) as driver:
            assert bench.seen[-1].doing is Doing.READY
            again = await driver.connect()
            assert again.controller
            assert all(label and value for label, value in again.details)
            assert any(not message.sent for message in driver.traffic())

    async def test_it_may_be_closed_twice_and_opened_again(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            await driver.close()
            assert driver.status().doing is Doing.UNREACHABLE
            await driver.close()
            await driver.connect()
            await until(lambda: driver.status().doing is Doing.READY)

    async def test_it_finds_nothing_of_a_run_that_never_was(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            found = await driver.inspect_run(bench.short)
            assert found.outcome is RunOutcome.STOPPED
            assert found.detail

    async def test_an_abort_without_a_run_does_nothing(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            await driver.abort()
            assert driver.status().doing is Doing.READY

    async def test_a_controller_that_moves_is_never_tried_again_blindly(self, bench: Bench) -> None:
        assert bench.driver.on_loss is OnLoss.INTERRUPT
        assert not bench.driver.abilities.at_once


class StartingDriver(EveryDriver):
    """One that loads, starts and stops programs."""

    async def test_a_part_is_made_from_load_to_end(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            await driver.load(bench.short, 1)
            await driver.start()
            await asyncio.wait_for(driver.ended(), 30)
            await until(lambda: driver.status().doing is Doing.READY)
        assert Doing.RUNNING in bench.doing()

    async def test_the_next_part_is_made_by_the_same_driver(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            for part in (1, 2):
                await driver.load(bench.short, part)
                await driver.start()
                await asyncio.wait_for(driver.ended(), 30)

    async def test_a_hold_stops_it_and_a_resume_lets_it_go_on(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            await self._begun(driver, bench.long)
            ended = asyncio.ensure_future(driver.ended())
            await driver.hold()
            assert driver.status().doing is Doing.HELD
            place = driver.status().x, driver.status().y
            await driver.resume()
            await until(lambda: (driver.status().x, driver.status().y) != place)
            assert driver.status().doing is Doing.RUNNING
            await driver.abort()
            with pytest.raises(RunAborted):
                await asyncio.wait_for(ended, 30)

    async def test_an_aborted_run_has_ended_and_is_not_done(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            await self._begun(driver, bench.long)
            ended = asyncio.ensure_future(driver.ended())
            await driver.abort()
            with pytest.raises(RunAborted):
                await asyncio.wait_for(ended, 30)
            assert driver.status().doing not in (Doing.RUNNING, Doing.HELD)

    async def test_a_hold_without_a_run_is_refused(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            with pytest.raises(Conflict):
                await driver.hold()

    async def test_letting_go_of_it_is_no_abort_where_it_outlives_us(self, bench: Bench) -> None:
        if not bench.driver.abilities.outlives:
            pytest.skip("what it runs ends with its station")
        async with connected(bench) as driver:
            await self._begun(driver, bench.long)
            await driver.close()
            await driver.connect()
            assert (await driver.inspect_run(bench.long)).outcome is RunOutcome.UNDER_WAY
            await driver.abort()

    # --- a known state before, and a true end after ---

    async def test_a_program_begins_in_the_modes_it_was_read_with(self, bench: Bench) -> None:
        if bench.leave_modes is None or bench.unstated is None or bench.place is None:
            pytest.skip("its controller keeps no modes from one program to the next")
        async with connected(bench) as driver:
            await bench.leave_modes()
            before = bench.place()
            try:
                words = await driver.load(bench.unstated, 1)
            except NotReady:
                assert bench.place() == before
                return
            assert all(words)
            assert words
            await driver.start()
            await asyncio.wait_for(driver.ended(), 30)
            assert bench.place()[:2] == pytest.approx((5.0, 5.0), abs=0.01)

    async def test_modes_changed_after_the_load_start_nothing_else(self, bench: Bench) -> None:
        if bench.leave_modes is None or bench.unstated is None or bench.place is None:
            pytest.skip("its controller keeps no modes from one program to the next")
        async with connected(bench) as driver:
            await driver.load(bench.unstated, 1)
            await bench.leave_modes()
            before = bench.place()
            try:
                await driver.start()
            except NotReady:
                assert bench.place() == before
                return
            await asyncio.wait_for(driver.ended(), 30)
            assert bench.place()[:2] == pytest.approx((5.0, 5.0), abs=0.01)

    async def test_nothing_starts_on_a_lost_position_until_a_person_confirms_it(
        self, bench: Bench
    ) -> None:
        if bench.lose_position is None:
            pytest.skip("its controller does not lose its position")
        async with connected(bench) as driver:
            await bench.lose_position()
            await self._refuses(driver, bench)
            await driver.confirm_position()
            await until(lambda: driver.status().doing is Doing.READY)
            await driver.load(bench.short, 1)
            await driver.start()
            await asyncio.wait_for(driver.ended(), 30)

    async def test_the_next_life_knows_that_a_position_was_lost(self, bench: Bench) -> None:
        if bench.lose_position is None or bench.next_life is None:
            pytest.skip("its controller does not lose its position")
        async with connected(bench) as driver:
            await bench.lose_position()
            await self._refuses(driver, bench)
            memory = driver.memory()
        assert memory is not None
        assert not memory.position.known
        bench.driver = driver = bench.next_life()
        driver.recall(memory)
        try:
            await driver.connect()
            await self._refuses(driver, bench)
            await driver.confirm_position()
            await until(lambda: driver.status().doing is Doing.READY)
            memory = driver.memory()
            assert memory is not None
            assert memory.position.known
        finally:
            await driver.close()

    async def test_a_run_that_stopped_short_is_never_done(self, bench: Bench) -> None:
        if bench.stop_short is None:
            pytest.skip("its controller's own word is proof of an end")
        async with connected(bench) as driver:
            await self._begun(driver, bench.long)
            ended = asyncio.ensure_future(driver.ended())
            await bench.stop_short()
            with pytest.raises((EndUnproven, RunFailed, RunAborted, Unavailable)):
                await asyncio.wait_for(ended, 60)

    @staticmethod
    async def _refuses(driver: Driver, bench: Bench) -> None:
        async def begin() -> None:
            await driver.load(bench.short, 1)
            await driver.start()

        with pytest.raises(NotReady):
            await begin()
        position = driver.status().position
        assert position is not None
        assert not position.known
        assert position.reason

    @staticmethod
    async def _begun(driver: Driver, order: Order) -> None:
        await driver.load(order, 1)
        await driver.start()
        await until(lambda: driver.status().doing is Doing.RUNNING)


class WatchingDriver(EveryDriver):
    """One that can only report."""

    async def test_a_part_is_made_as_the_machine_reports(self, bench: Bench) -> None:
        assert bench.begin is not None
        assert bench.finish is not None
        async with connected(bench) as driver:
            await driver.load(bench.short, 1)
            started = asyncio.ensure_future(driver.start())
            await bench.begin()
            await asyncio.wait_for(started, 30)
            ended = asyncio.ensure_future(driver.ended())
            await until(lambda: driver.status().doing is Doing.RUNNING)
            await bench.finish()
            await asyncio.wait_for(ended, 30)

    async def test_it_sets_nothing_and_has_no_position_to_vouch_for(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            assert await driver.load(bench.short, 1) == ()
            assert driver.status().position is None
            assert driver.memory() is None
            with pytest.raises(Conflict):
                await driver.confirm_position()

    async def test_nothing_can_be_asked_of_it(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            abilities = driver.abilities
            assert {abilities.starts, abilities.holds, abilities.aborts} == {False}
            for asked in (driver.hold, driver.resume):
                with pytest.raises(Conflict, match="panel"):
                    await asked()

    async def test_giving_a_run_up_ends_ours_and_leaves_the_machine_alone(
        self, bench: Bench
    ) -> None:
        assert bench.begin is not None
        async with connected(bench) as driver:
            await driver.load(bench.short, 1)
            started = asyncio.ensure_future(driver.start())
            await bench.begin()
            await asyncio.wait_for(started, 30)
            ended = asyncio.ensure_future(driver.ended())
            await until(lambda: driver.status().doing is Doing.RUNNING)
            await driver.abort()
            with pytest.raises(RunAborted):
                await asyncio.wait_for(ended, 30)
            assert driver.status().doing is Doing.RUNNING
