"""What every handler has to do. One joins by a subclass in test_conformance.py."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from cnc_station.engine.handlers.base import Handler, HandlerFailed, HandlerOrder
from cnc_station.engine.handlers.registry import handlers
from tests.until import until


class Conformance:
    """`quick` ends by itself, `endless` does not, `failing` says why."""

    handler: Handler
    quick: Mapping[str, Any]
    endless: Mapping[str, Any]
    failing: Mapping[str, Any]

    def _order(self, payload: Mapping[str, Any]) -> HandlerOrder:
        return HandlerOrder(run_id=1, job_id=1, attempt=1, payload=payload)

    def test_it_is_found_by_its_name(self) -> None:
        assert type(handlers()[self.handler.name]) is type(self.handler)

    async def test_it_ends_and_says_how_far_it_is(self) -> None:
        told: list[float] = []
        await self.handler.run(self._order(self.quick), told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0

    async def test_a_failure_says_why(self) -> None:
        with pytest.raises(HandlerFailed, match=r"\w"):
            await self.handler.run(self._order(self.failing), lambda _: None)

    async def test_it_is_aborted_by_being_cancelled(self) -> None:
        told: list[float] = []
        work = asyncio.create_task(self.handler.run(self._order(self.endless), told.append))
        await until(lambda: told)
        work.cancel()
        await asyncio.wait([work], timeout=5.0)
        assert work.cancelled()

    async def test_several_work_side_by_side(self) -> None:
        endless = asyncio.create_task(self.handler.run(self._order(self.endless), lambda _: None))
        await self.handler.run(self._order(self.quick), lambda _: None)
        assert not endless.done()
        endless.cancel()
