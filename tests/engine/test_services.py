"""The one shape of a service: what it survives, and what wakes it."""

import asyncio
import logging
from types import SimpleNamespace
from typing import cast

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import MISSED, Notice, NoticeEvent, Predicate, one_of
from cnc_station.engine.services import service
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.leadership import Leadership
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.stations import Lead
from tests.until import until


class _Work(Service):
    """Fails in the ways it is given, then rests."""

    def __init__(self, *failures: BaseException) -> None:
        super().__init__()
        self._failures = list(failures)
        self.done = False

    async def run_once(self) -> float:
        if self._failures:
            raise self._failures.pop(0)
        self.done = True
        return 60.0


@pytest.mark.parametrize(
    "failure", [Unavailable("away"), ValueError("a bug"), asyncio.CancelledError()]
)
async def test_a_service_goes_on_after_whatever_failed_in_it_and_says_so(
    failure: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Something that a driver waits for may have been cancelled, not the service."""
    work = _Work(failure)
    await work.start()
    await until(lambda: work.done)
    await work.stop()
    assert [record.message.split()[0] for record in caplog.records] == ["_Work"]


async def test_a_service_that_is_stopped_ends_within_its_work() -> None:
    class _Hanging(Service):
        async def run_once(self) -> float:
            await asyncio.Event().wait()
            return 0.0

    hanging = _Hanging()
    await hanging.start()
    await asyncio.sleep(0)
    await asyncio.wait_for(hanging.stop(), 10.0)


async def test_a_log_is_not_filled_with_what_stays_away(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there before it, the reason perhaps, would be gone after a weekend."""
    monkeypatch.setattr(service, "FIRST_PAUSE_S", 0.001)
    caplog.set_level(logging.INFO)
    work = _Work(*(Unavailable("away") for _ in range(5)))
    await work.start()
    await until(lambda: work.done)
    await work.stop()
    assert [record.message for record in caplog.records] == ["_Work waits: away"]


class _Woken(Service):
    """Counts its looks."""

    wakes_on: tuple[Predicate, ...] = (one_of(t.HELD), one_of(t.COMPLETED))

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    async def run_once(self) -> float:
        self.looks += 1
        return 3_600.0


class _Unconcerned(_Woken):
    wakes_on: tuple[Predicate, ...] = ()


@pytest.mark.parametrize("kind", ["held", "completed"])
async def test_a_service_wakes_on_the_events_that_it_names_and_on_no_others(kind: str) -> None:
    named, other = NoticeEvent(kind), NoticeEvent("started")
    work, unconcerned = _Woken(), _Woken()
    for one in (work, unconcerned):
        await one.start()
        await until(lambda: one.looks == 1)  # noqa: B023 - awaited at once
    unconcerned.hear(Notice.of(other, other))
    work.hear(Notice.of(other, named))
    await until(lambda: work.looks == 2)
    assert unconcerned.looks == 1
    for one in (work, unconcerned):
        await one.stop()


class _Leads:
    """A writer that gives everybody the leadership."""

    def __init__(self) -> None:
        self.writes = 0

    async def write(self, change: Lead) -> int:  # noqa: ARG002 - the only command it is given
        self.writes += 1
        return 1


async def test_leadership_is_asked_for_when_a_leader_changes_and_not_on_a_missed_notice() -> None:
    """Each look is a write, and stations with no signals miss every notice of the others."""

    async def on_term(term: int | None) -> None:
        assert term == 1

    writer, after = _Leads(), _Woken()
    config = SimpleNamespace(leader_lease_s=3_600.0)
    context = SimpleNamespace(writer=writer, incarnation="me", config=config)
    leadership = Leadership(cast(ServiceContext, context), on_term)
    for one in (leadership, after):
        await one.start()
    await until(lambda: (writer.writes, after.looks) == (1, 1))
    for one in (leadership, after):
        one.hear(MISSED)
    await until(lambda: after.looks == 2)
    assert writer.writes == 1
    leadership.hear(Notice.of(NoticeEvent(t.LEADER_CHANGED.name)))
    await until(lambda: writer.writes == 2)
    for one in (leadership, after):
        await one.stop()


async def test_a_missed_notice_wakes_who_waits_for_any_event_and_nobody_else() -> None:
    work, unconcerned = _Woken(), _Unconcerned()
    for one in (unconcerned, work):
        await one.start()
        await until(lambda: one.looks == 1)  # noqa: B023 - awaited at once
        one.hear(MISSED)
    await until(lambda: work.looks == 2)
    assert unconcerned.looks == 1
    for one in (work, unconcerned):
        await one.stop()
