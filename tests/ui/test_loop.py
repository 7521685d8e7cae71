"""Callbacks in their order, timers at their time."""

import asyncio
import math
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnc_station.loop
from cnc_station.loop import application_loop
from tests.ui.running import running
from tests.until import until

DAYS = 86_400.0


async def test_callbacks_run_in_the_order_they_were_asked_for_however_they_were_asked() -> None:
    loop = running()
    ran: list[int] = []
    for number in range(300):
        ask = loop.call_soon if number % 3 else loop.call_soon_threadsafe
        ask(ran.append, number)
    await until(lambda: len(ran) == 300)
    assert ran == list(range(300))


async def test_what_another_thread_asked_for_keeps_its_place_in_the_queue() -> None:
    loop = running()
    ran: list[str] = []
    loop.call_soon(ran.append, "before")
    thread = threading.Thread(target=loop.call_soon_threadsafe, args=(ran.append, "thread"))
    thread.start()
    thread.join()
    loop.call_soon(ran.append, "after")
    await until(lambda: len(ran) == 3)
    assert ran == ["before", "thread", "after"]


async def test_an_idle_loop_wakes_for_another_thread() -> None:
    woken = asyncio.Event()
    loop = running()
    thread = threading.Timer(0.05, lambda: loop.call_soon_threadsafe(woken.set))
    thread.start()
    await woken.wait()
    thread.join()


async def test_many_threads_lose_nothing_and_keep_each_its_own_order() -> None:
    loop = running()
    ran: list[tuple[int, int]] = []

    def ask(thread: int) -> None:
        for number in range(200):
            loop.call_soon_threadsafe(ran.append, (thread, number))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    await until(lambda: len(ran) == 800)
    for number, thread in enumerate(threads):
        thread.join()
        assert [entry for entry in ran if entry[0] == number] == [(number, n) for n in range(200)]


async def test_the_wrong_call_from_another_thread_is_an_error_there_and_no_hang_here() -> None:
    loop = running()

    def ask(wrong: Callable[[], object]) -> None:
        with pytest.raises(RuntimeError, match="thread"):
            wrong()

    await asyncio.to_thread(ask, lambda: loop.call_later(0, print))
    await asyncio.to_thread(ask, lambda: loop.call_soon(print))


async def test_a_callback_never_runs_within_the_call_that_asks_for_it() -> None:
    ran: list[str] = []
    running().call_soon(ran.append, "callback")
    ran.append("asked")
    await asyncio.sleep(0)
    assert ran == ["asked", "callback"]


async def test_a_cancelled_callback_does_not_run() -> None:
    ran: list[str] = []
    running().call_soon(ran.append, "cancelled").cancel()
    running().call_soon_threadsafe(ran.append, "cancelled").cancel()
    await asyncio.sleep(0.01)
    assert not ran


async def test_a_callback_runs_in_the_context_it_was_given() -> None:
    actor: ContextVar[str] = ContextVar("actor", default="nobody")
    seen: list[str] = []
    actor.set("operator")
    running().call_soon(lambda: seen.append(actor.get()))
    running().call_soon_threadsafe(lambda: seen.append(actor.get()))
    running().call_later(0, lambda: seen.append(actor.get()))
    actor.set("somebody else")
    await until(lambda: len(seen) == 3)
    assert seen == ["operator"] * 3


async def test_a_sleep_of_thirty_days_does_not_return_at_once() -> None:
    sleeper = asyncio.create_task(asyncio.sleep(30 * DAYS))
    endless = asyncio.create_task(asyncio.sleep(math.inf))
    await asyncio.sleep(0.05)
    assert not sleeper.done()
    assert not endless.done()
    for task in (sleeper, endless):
        task.cancel()


async def test_a_wait_longer_than_the_longest_alarm_ends_when_it_should(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cnc_station.loop, "_LONGEST_WAIT", 0.002)
    asked = running().time()
    await asyncio.sleep(0.03)
    assert running().time() - asked >= 0.03


async def test_timers_are_never_early_and_run_in_the_order_they_are_due() -> None:
    loop = running()
    start = loop.time()
    ran: list[tuple[float, float]] = []
    delays = [0.0, 0.0101, 0.0009, 0.0302, 0.02, 0.0199, 0.0, 0.0301, 0.0005, 0.01]

    def note(due: float) -> None:
        ran.append((due, loop.time()))

    for delay in delays:
        loop.call_at(start + delay, note, start + delay)
    await until(lambda: len(ran) == len(delays))
    assert [due for due, _ in ran] == sorted(start + delay for delay in delays)
    assert all(fired >= due for due, fired in ran)


async def test_timers_due_at_the_same_moment_run_in_the_order_they_were_asked_for() -> None:
    ran: list[int] = []
    due = running().time() + 0.01
    for number in range(100):
        running().call_at(due, ran.append, number)
    await until(lambda: len(ran) == 100)
    assert ran == list(range(100))


async def test_an_earlier_timer_asked_for_later_is_not_held_up() -> None:
    loop = running()
    late = loop.call_later(3600, lambda: None)
    await asyncio.sleep(0.01)
    late.cancel()


async def test_cancelled_timers_do_not_accumulate() -> None:
    loop = running()
    kept = [loop.call_later(3600, lambda: None) for _ in range(50)]
    for _ in range(2_000):
        loop.call_later(60, lambda: None).cancel()
    assert len(loop._timers) <= 2 * len(kept) + 1
    for timer in kept:
        timer.cancel()
    assert not loop._timers


async def test_timeouts_that_are_not_needed_leave_no_timer() -> None:
    for _ in range(500):
        await asyncio.wait_for(asyncio.sleep(0), 3600)
    assert len(running()._timers) <= 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=60))
def test_exactly_the_timers_not_cancelled_run_and_in_order(timers: list[tuple[int, bool]]) -> None:
    ran: list[tuple[int, int]] = []

    async def main() -> None:
        loop = running()
        now = loop.time()
        handles = [
            loop.call_at(now + ms / 1000, ran.append, (ms, number))
            for number, (ms, _) in enumerate(timers)
        ]
        for handle, (_, cancelled) in zip(handles, timers, strict=True):
            if cancelled:
                handle.cancel()
        await asyncio.sleep(0.006)

    with asyncio.Runner(loop_factory=application_loop) as runner:
        runner.run(main())
    wanted = [(ms, number) for number, (ms, cancelled) in enumerate(timers) if not cancelled]
    assert ran == sorted(wanted)
