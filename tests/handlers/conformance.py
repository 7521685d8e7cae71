"""What every handler has to do. One joins by subclasses in test_conformance.py."""

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


def order(payload: Mapping[str, Any]) -> HandlerOrder:
    return HandlerOrder(run_id=1, job_id=1, attempt=1, payload=payload, key="trace-1")


class Conformance:
    """`quick` ends by itself, `wrong` is not a valid payload, in none of its fields."""

    name: ClassVar[str]
    quick: ClassVar[dict[str, Any]]
    wrong: ClassVar[dict[str, Any]]

    @pytest.fixture
    def handler(self, tmp_path: Path) -> Handler:
        return own_handlers(tmp_path)[self.name]

    def test_it_is_found_by_its_name(self, handler: Handler) -> None:
        assert handler.name == self.name

    def test_what_it_cannot_do_is_named_at_intake(self, handler: Handler) -> None:
        assert list(handler.check(self.quick)) == []
        named = [error.field.partition("[")[0] for error in handler.check(self.wrong)]
        assert sorted(named) == sorted(self.wrong)

    async def test_it_ends_and_says_how_far_it_is(self, handler: Handler) -> None:
        told: list[float] = []
        await handler.run(order(self.quick), told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0


class Failing(Conformance):
    """A handler that may fail: with `failing` it does."""

    failing: ClassVar[dict[str, Any]]

    async def test_a_failure_says_why(self, handler: Handler) -> None:
        assert list(handler.check(self.failing)) == []
        with pytest.raises(HandlerFailed, match=r"\w"):
            await handler.run(order(self.failing), lambda _: None)


class Endless(Failing):
    """A handler that may take long: `endless` does not end by itself."""

    endless: ClassVar[dict[str, Any]]

    async def test_it_is_aborted_by_being_cancelled(self, handler: Handler) -> None:
        told: list[float] = []
        work = asyncio.create_task(handler.run(order(self.endless), told.append))
        await until(lambda: told)
        work.cancel()
        await asyncio.wait([work], timeout=10.0)
        assert work.cancelled()

    async def test_several_work_side_by_side(self, handler: Handler) -> None:
        endless = asyncio.create_task(handler.run(order(self.endless), lambda _: None))
        await handler.run(order(self.quick), lambda _: None)
        assert not endless.done()
        endless.cancel()
        await asyncio.wait([endless], timeout=10.0)
