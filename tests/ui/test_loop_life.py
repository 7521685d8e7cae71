"""The loop starts, stops, ends with nothing left behind, and hides no error."""

import asyncio
import gc
import re
import threading
import time
import weakref
from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from cnc_station.loop import application_loop, run
from tests.ui.running import running
from tests.until import until


def test_stop_lets_what_is_ready_run_and_keeps_the_rest_for_later() -> None:
    loop = application_loop()
    ran: list[str] = []

    def stop_and_ask_for_more() -> None:
        loop.stop()
        loop.stop()
        loop.call_soon(ran.append, "later")

    loop.call_soon(stop_and_ask_for_more)
    loop.call_soon(ran.append, "ready")
    loop.run_forever()
    assert ran == ["ready"]
    loop.run_until_complete(asyncio.sleep(0))
    assert ran == ["ready", "later"]
    loop.close()


def test_nothing_runs_while_the_loop_does_not_and_nothing_is_forgotten(qapp: QApplication) -> None:
    loop = application_loop()
    ran: list[str] = []
    loop.call_soon(ran.append, "soon")
    loop.call_soon_threadsafe(ran.append, "threadsafe")
    loop.call_later(0, ran.append, "timer")
    qapp.processEvents()
    assert not ran
    loop.run_until_complete(asyncio.sleep(0.001))
    assert ran == ["soon", "threadsafe", "timer"]
    loop.close()


def test_a_closed_loop_takes_no_more_work_and_is_closed_twice_without_harm() -> None:
    loop = application_loop()
    loop.close()
    loop.close()
    for ask in (loop.call_soon, loop.call_soon_threadsafe):
        with pytest.raises(RuntimeError, match="closed"):
            ask(print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_forever()


async def test_a_running_loop_cannot_be_run_or_closed() -> None:
    with pytest.raises(RuntimeError, match="running"):
        running().run_forever()
    with pytest.raises(RuntimeError, match="running"):
        running().close()


def test_a_closed_loop_is_forgotten() -> None:
    loop = application_loop()
    loop.call_later(3600, print)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    forgotten = weakref.ref(loop)
    del loop
    gc.collect()
    assert forgotten() is None


async def test_an_error_in_a_task_nobody_awaits_reaches_the_exception_handler(
    loop_errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails() -> None:
        raise ValueError("lost?")

    # It is reported at once, not when the collector happens to come by.
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
    asyncio.create_task(fails())  # noqa: RUF006 - the very mistake
    await until(lambda: loop_errors)
    assert "ValueError('lost?')" in loop_errors.pop()


async def test_an_error_in_a_callback_reaches_the_exception_handler_and_the_loop_goes_on(
    loop_errors: list[str],
) -> None:
    running().call_soon(lambda: 1 // 0)
    running().call_later(0, lambda: 1 // 0)
    await until(lambda: len(loop_errors) == 2)
    assert all("ZeroDivisionError" in error for error in loop_errors)
    loop_errors.clear()


async def test_the_exception_handler_can_be_asked_for() -> None:
    handler = running().get_exception_handler()
    assert handler is not None
    running().set_exception_handler(None)
    assert running().get_exception_handler() is None
    running().set_exception_handler(handler)


async def test_debug_mode_names_the_callback_that_blocks(caplog: pytest.LogCaptureFixture) -> None:
    running().set_debug(True)
    running().slow_callback_duration = 0.01
    running().call_soon(time.sleep, 0.02)
    await until(lambda: re.search(r"sleep.* took \d", caplog.text))
    running().set_debug(False)


def test_run_gives_back_what_main_returns_or_raises() -> None:
    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise LookupError("no such job")

    assert run(answer()) == 42
    with pytest.raises(LookupError, match="no such job"):
        run(fail())


def test_run_cancels_awaits_and_names_what_is_left_over(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def service() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.001)  # what it does at the end still gets done
            ended.append("service")

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            ended.append("generator")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.leftover = loop.create_task(service(), name="dispatcher")  # type: ignore[attr-defined] # - kept alive
        loop.open = numbers()  # type: ignore[attr-defined] # - kept alive
        await anext(loop.open)  # type: ignore[attr-defined] # - kept alive
        await asyncio.to_thread(time.sleep, 0)

    run(main())
    assert ended == ["service", "generator"]
    assert "left running at the end" in caplog.text
    assert "dispatcher" in caplog.text


def test_after_run_another_run_works_and_no_thread_is_left() -> None:
    before = set(threading.enumerate())

    async def main() -> int:
        return await asyncio.to_thread(sum, [1, 2])

    assert [run(main()), run(main())] == [3, 3]
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_an_exit_raised_in_a_task_ends_the_run_after_its_clean_up(error: BaseException) -> None:
    ended: list[str] = []

    async def exits() -> None:
        raise error

    async def main() -> None:
        task = asyncio.create_task(exits())
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("main")
            await asyncio.wait([task])

    with pytest.raises(type(error)):
        run(main())
    assert ended == ["main"]


def test_a_quit_of_qt_itself_still_lets_main_clean_up(qapp: QApplication) -> None:
    ended: list[str] = []

    async def main() -> None:
        QTimer.singleShot(0, qapp.quit)
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("main")

    with pytest.raises(RuntimeError, match="stopped before"):
        run(main())
    assert ended == ["main"]
