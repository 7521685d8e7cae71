"""A view's questions to the engine."""

import asyncio

import shiboken6
from PySide6.QtCore import QObject

from cnc_station.ui.coalesced_task import CoalescedTask
from tests.ui.real_engine import Office
from tests.until import until


async def test_an_answer_that_comes_after_its_view_was_closed_bothers_nobody(
    office: Office, loop_errors: list[str]
) -> None:
    answer = asyncio.Event()
    answered: list[bool] = []
    view = QObject()

    async def ask() -> None:
        await answer.wait()
        answered.append(True)

    CoalescedTask(office.context.operations, ask, view, interval_ms=10).request()
    await asyncio.sleep(0)
    shiboken6.delete(view)
    answer.set()
    await until(lambda: answered)
    await asyncio.sleep(0)
    assert loop_errors == []
