"""Qt and asyncio share one thread: neither starves the other, and neither runs inside the other."""

import asyncio
import time
from collections.abc import Callable

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog

from tests.ui.running import running
from tests.until import emitted, until


async def test_coroutines_that_never_rest_leave_qt_its_turn() -> None:
    ticks: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start(1)
    while len(ticks) < 20:  # noqa: ASYNC110 - the coroutine that never rests
        await asyncio.sleep(0)
    timer.stop()


async def test_callbacks_that_ask_for_each_other_leave_timers_and_sockets_their_turn() -> None:
    loop = running()
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    spinning = True

    def spin() -> None:
        if spinning:
            loop.call_soon(spin)

    loop.call_soon(spin)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b""
    await asyncio.sleep(0.005)
    spinning = False
    writer.close()
    server.close()
    await server.wait_closed()


async def test_a_qt_that_never_rests_leaves_coroutines_their_turn() -> None:
    timer = QTimer()
    timer.start(0)
    for _ in range(20):
        await asyncio.sleep(0.001)
    timer.stop()


async def test_a_slot_can_start_a_task() -> None:
    done = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def work() -> None:
        done.set()

    QTimer.singleShot(1, lambda: tasks.append(asyncio.create_task(work())))
    await done.wait()


async def test_a_slot_can_ask_for_a_timer_while_the_loop_is_idle() -> None:
    rung = asyncio.Event()
    loop = running()
    QTimer.singleShot(20, lambda: loop.call_later(0.001, rung.set))
    await rung.wait()


async def test_a_dialog_is_opened_and_awaited() -> None:
    dialog = QDialog()
    dialog.open()
    running().call_soon(dialog.accept)
    assert await emitted(dialog.finished) == (QDialog.DialogCode.Accepted.value,)


@pytest.mark.parametrize(
    "nest", [lambda: QDialog().exec(), QApplication.processEvents], ids=["exec", "processEvents"]
)
async def test_a_nested_loop_in_a_coroutine_is_reported_and_ended_and_loses_nothing(
    nest: Callable[[], object], loop_errors: list[str]
) -> None:
    async def neighbour() -> str:
        await asyncio.sleep(0.01)
        return "alive"

    others = [asyncio.create_task(neighbour()) for _ in range(10)]
    await asyncio.sleep(0)
    nest()
    assert await asyncio.gather(*others) == ["alive"] * 10
    (error,) = loop_errors
    assert f"nested Qt event loop at {__file__}" in error
    loop_errors.clear()


async def test_a_nested_loop_opened_by_qt_itself_keeps_coroutines_running() -> None:
    dialog = QDialog()

    async def close_it() -> str:
        await until(dialog.isVisible)
        await asyncio.sleep(0.01)
        dialog.accept()
        return "ran meanwhile"

    closing = asyncio.create_task(close_it())
    QTimer.singleShot(0, dialog.exec)  # as a slot of a click would
    assert await closing == "ran meanwhile"
