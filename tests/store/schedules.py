"""Words to work with schedules in the tests of the store."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.store import schema
from cnc_station.engine.store.firings import FireDue
from cnc_station.engine.store.schedules import CreateSchedule
from cnc_station.engine.store.stations import Lead
from tests.store.shop import FOR_EVER_S, START, Shop

JOB = JobSpec("warm up", "mill", estimated_s=30.0)
HOURLY = Schedule("Hourly", "0 * * * *", "UTC", JOB)
HOUR_S = 3600.0
FIRST = START + 50 * 60_000  # START is 15:10


async def create(shop: Shop, spec: Schedule = HOURLY, **changes: Any) -> int:
    return await shop.write(CreateSchedule(replace(spec, **changes).validated(), "anna"))


async def fire(shop: Shop) -> int:
    """Fire all that is due, as the leader does. Return how much was handled."""
    term = await shop.write(Lead("shop", FOR_EVER_S))
    handled = 0
    while count := await shop.write(FireDue("shop", term)):
        handled += count
    return handled


def next_hour(shop: Shop) -> None:
    """Let the time pass until the next full hour."""
    shop.clock.ms = (shop.clock.ms // 3_600_000 + 1) * 3_600_000


def firings(shop: Shop, schedule_id: int = 1) -> list[tuple[int, str]]:
    """The due times of a schedule, in hours since the first one, with their states."""
    table = schema.schedule_firing
    query = (
        select(table.c.due_at, table.c.state)
        .where(table.c.schedule_id == schedule_id)
        .order_by(table.c.due_at)
    )
    rows = shop.database.read(lambda connection: connection.execute(query).all())
    return [((row.due_at - FIRST) // 3_600_000, row.state) for row in rows]


def jobs(shop: Shop) -> Sequence[Any]:
    query = select(schema.job).order_by(schema.job.c.id)
    found: Sequence[Any] = shop.database.read(lambda connection: connection.execute(query).all())
    return found


def next_due(shop: Shop, schedule_id: int = 1) -> int | None:
    due: int | None = shop.row(schema.schedule, schedule_id).next_due
    return due
