"""The tests that every driver must pass, for any controller.

Add a driver as a subclass in test_conformance.py whose `bench` fixture provides its counterpart.
The docstrings in drivers/base.py are the contract; each test here checks one of its points.
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

    `nowhere` is a driver of the same kind for an address without a controller. `short` takes a few
    seconds, `long` some more. On a read-only machine, `begin` and `finish` are what an operator
    does at its panel.

    The rest is for a driver that starts programs, each None if its controller cannot do it:
    `leave_modes` sets other modes (inches, increments), and `unstated` is an order for a program
    that states no modes and ends at X5 Y5. `place` is the real position of the tool in mm.
    `lose_position` makes the controller lose its position while nothing runs, and `stop_short` ends
    a run early without reporting it. `next_life` makes another driver for the same machine.
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
        """The published states, without repetitions."""
        heard = [status.doing for status in self.seen]
        return [doing for i, doing in enumerate(heard) if i == 0 or heard[i - 1] is not doing]


@asynccontextmanager
async def connected(bench: Bench) -> AsyncIterator[Driver]:
    """Subscribe and connect; disconnect afterwards. No task may be left."""
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
    """The tests for all drivers."""

    async def test_before_it_connects_the_status_is_unreachable(self, bench: Bench) -> None:
        assert bench.driver.status().doing is Doing.UNREACHABLE
        assert list(bench.driver.traffic()) == []
        await bench.driver.close()

    async def test_no_answer_at_the_address_is_reported_in_plain_words(self, bench: Bench) -> None:
        with pytest.raises(Unavailable) as refused:
            await bench.nowhere.connect()
        assert str(refused.value)
        assert bench.nowhere.status().doing is Doing.UNREACHABLE
        await bench.nowhere.close()

    async def test_connecting_returns_the_identity_and_records_the_wire(self, bench: Bench) -> None:
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

    async def test_a_run_that_never_existed_is_not_found(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            found = await driver.inspect_run(bench.short)
            assert found.outcome is RunOutcome.STOPPED
            assert found.detail

    async def test_an_abort_without_a_run_does_nothing(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            await driver.abort()
            assert driver.status().doing is Doing.READY

    async def test_a_run_on_a_moving_controller_is_never_retried_blindly(
        self, bench: Bench
    ) -> None:
        assert bench.driver.on_loss is OnLoss.INTERRUPT
        assert not bench.driver.abilities.begins_with_claim


class StartingDriver(EveryDriver):
    """The tests for a driver that loads, starts and stops programs."""

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

    async def test_a_hold_stops_the_program_and_a_resume_continues_it(self, bench: Bench) -> None:
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

    async def test_disconnecting_does_not_abort_a_run_that_outlives_the_station(
        self, bench: Bench
    ) -> None:
        if not bench.driver.abilities.outlives:
            pytest.skip("what it runs ends with its station")
        async with connected(bench) as driver:
            await self._begun(driver, bench.long)
            await driver.close()
            await driver.connect()
            assert (await driver.inspect_run(bench.long)).outcome is RunOutcome.UNDER_WAY
            await driver.abort()

    # --- known modes and position before, proof of the end after ---

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

    async def test_modes_changed_after_the_load_prevent_the_start(self, bench: Bench) -> None:
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

    async def test_nothing_starts_from_a_lost_position_until_a_person_confirms_it(
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

    async def test_a_lost_position_is_still_lost_after_a_restart(self, bench: Bench) -> None:
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

    async def test_a_run_that_stopped_early_is_never_done(self, bench: Bench) -> None:
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
    """The tests for a read-only driver."""

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

    async def test_it_sets_no_modes_and_has_no_position_to_confirm(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            assert await driver.load(bench.short, 1) == ()
            assert driver.status().position is None
            assert driver.memory() is None
            with pytest.raises(Conflict):
                await driver.confirm_position()

    async def test_it_refuses_every_command(self, bench: Bench) -> None:
        async with connected(bench) as driver:
            abilities = driver.abilities
            assert {abilities.starts, abilities.holds, abilities.aborts} == {False}
            for asked in (driver.hold, driver.resume):
                with pytest.raises(Conflict, match="panel"):
                    await asked()

    async def test_releasing_a_run_ends_it_here_and_sends_nothing_to_the_machine(
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
