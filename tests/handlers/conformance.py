"""What every handler has to do. One joins by a subclass in test_conformance.py."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cnc_station.engine.handlers.base import Handler, HandlerContext, HandlerFailed, HandlerOrder
from cnc_station.engine.handlers.registry import handlers
from cnc_station.engine.outgoing_http import OutgoingHttp
from tests.until import until


async def _clean_up() -> Mapping[str, int]:
    return {"jobs": 3}


def own_handlers(folder: Path, shell_commands: Path | None = None) -> Mapping[str, Handler]:
    """The handlers of a station that works in this folder."""
    return handlers(HandlerContext(folder, shell_commands, 300.0, OutgoingHttp(), _clean_up))


class Conformance:
    """`quick` ends by itself, `endless` does not, `failing` says why, `wrong` is not valid. None
    where a handler has no such payload."""

    name: ClassVar[str]
    quick: ClassVar[dict[str, Any]]
    endless: ClassVar[dict[str, Any] | None] = None
    failing: ClassVar[dict[str, Any] | None] = None
    wrong: ClassVar[dict[str, Any] | None] = None

    @pytest.fixture
    def handler(self, tmp_path: Path) -> Handler:
        return own_handlers(tmp_path)[self.name]

    def _order(self, payload: Mapping[str, Any] | None) -> HandlerOrder:
        if payload is None:
            pytest.skip("it has no such payload")
        return HandlerOrder(run_id=1, job_id=1, attempt=1, payload=payload, key="trace-1")

    def test_it_is_found_by_its_name(self, handler: Handler) -> None:
        assert handler.name == self.name

    def test_what_it_can_do_is_accepted_and_what_it_cannot_is_named(self, handler: Handler) -> None:
        for payload in (self.quick, self.endless, self.failing):
            assert payload is None or list(handler.check(payload)) == []
        if self.wrong is not None:
            named = [error.field for error in handler.check(self.wrong)]
            assert sorted(named) == sorted(self.wrong)

    async def test_it_ends_and_says_how_far_it_is(self, handler: Handler) -> None:
        told: list[float] = []
        await handler.run(self._order(self.quick), told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0

    async def test_a_failure_says_why(self, handler: Handler) -> None:
        with pytest.raises(HandlerFailed, match=r"\w"):
            await handler.run(self._order(self.failing), lambda _: None)

    async def test_it_is_aborted_by_being_cancelled(self, handler: Handler) -> None:
        told: list[float] = []
        work = asyncio.create_task(handler.run(self._order(self.endless), told.append))
        await until(lambda: told)
        work.cancel()
        await asyncio.wait([work], timeout=10.0)
        assert work.cancelled()

    async def test_several_work_side_by_side(self, handler: Handler) -> None:
        endless = asyncio.create_task(handler.run(self._order(self.endless), lambda _: None))
        await handler.run(self._order(self.quick), lambda _: None)
        assert not endless.done()
        endless.cancel()
        await asyncio.wait([endless], timeout=10.0)
