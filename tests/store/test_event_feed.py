"""The stream of events: nothing is lost, nothing comes twice, a job's events are in order."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from sqlalchemy import text

from cnc_station.engine.domain.event_cursor import EventCursor, Snapshot
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.queries import event_feed
from cnc_station.engine.store.queries.event_feed import events_since
from cnc_station.engine.store.stations import Join, Leave
from cnc_station.engine.store.tenants import for_tenants
from cnc_station.engine.views.event_feed import EventFeed, FeedEvent
from tests.store.rows import Rows
from tests.store.shop import Shop

INSERT = (
    "INSERT INTO event (at, type, job_id, job_state, actor, station, trace_id, reason) "
    "VALUES (1, 'edited', %s, 'queued', '', 'here', %s, '') RETURNING id"
)
TOO_LATE = event_feed.OLDEST_MS + 60_000


def since(
    rows: Rows,
    cursor: EventCursor | None,
    *,
    limit: int = 500,
    until: EventCursor | None = None,
    tenants: frozenset[str] | None = None,
) -> EventFeed:
    dialect = rows.database.dialect
    read = partial(events_since, dialect=dialect, after=cursor, until=until, limit=limit)
    return rows.read(read if tenants is None else for_tenants(read, tenants))


def follow(rows: Rows, cursor: EventCursor, limit: int = 500) -> Iterator[FeedEvent]:
    """All events up to now, each page from the text of the cursor before."""
    while True:
        feed = since(rows, EventCursor.parse(str(cursor)), limit=limit)
        assert not feed.too_old
        yield from feed.events
        cursor = feed.cursor
        if feed.complete:
            return


def address(rows: Rows) -> str:
    url = rows.database.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def test_each_event_is_read_once_in_pages_and_from_every_place(rows: Rows) -> None:
    end = since(rows, None)
    assert (end.events, end.complete, end.too_old) == ((), True, False)
    ids = [rows.event("edited") for _ in range(7)]
    assert [event.id for event in follow(rows, end.cursor, limit=2)] == ids
    feed = since(rows, end.cursor, limit=3)
    assert not feed.complete
    for place, event in enumerate(feed.events):
        behind = feed.base.past(event.id, event.at)
        assert [one.id for one in follow(rows, behind)] == ids[place + 1 :]
        within = EventCursor.parse(str(feed.base.within(event.id, event.at, 1)))
        assert within.skip == 1
        assert [one.id for one in follow(rows, within)] == ids[place:]


def test_reading_stops_at_a_later_cursor(rows: Rows) -> None:
    begin = since(rows, None).cursor
    first = [rows.event("edited") for _ in range(3)]
    middle = since(rows, None).cursor
    last = rows.event("edited")
    feed = since(rows, begin, until=middle, limit=2)
    assert (len(feed.events), feed.complete) == (2, False)
    rest = since(rows, feed.cursor, until=middle)
    read = [event.id for event in (*feed.events, *rest.events)]
    assert read == first
    assert rest.complete
    assert [event.id for event in follow(rows, rest.cursor)] == [last]


def test_an_event_tells_the_states_before_it_and_the_tenant(rows: Rows) -> None:
    begin = since(rows, None).cursor
    mill = rows.machine("Mill 1")
    job = rows.job(tenant="acme")
    rows.event("created", job_id=job, job_state="queued")
    rows.event("edited", job_id=job, job_state="queued")
    rows.event("connected", machine_id=mill, machine_state="idle")
    rows.event(
        "assigned", job_id=job, machine_id=mill, job_state="assigned", machine_state="assigned"
    )
    created, edited, connected, assigned = since(rows, begin).events
    assert (created.old_job_state, created.job_state) == (None, JobState.QUEUED)
    assert (edited.old_job_state, edited.job_state) == (JobState.QUEUED, JobState.QUEUED)
    assert (connected.old_machine_state, connected.machine_state) == (None, "idle")
    assert (assigned.old_job_state, assigned.job_state) == (JobState.QUEUED, JobState.ASSIGNED)
    assert (assigned.old_machine_state, assigned.machine_state) == ("idle", "assigned")
    assert [one.tenant for one in (created, connected, assigned)] == ["acme", None, "acme"]
    assert connected.machine == "Mill 1"


def test_a_reader_of_some_tenants_reads_their_events_also_of_deleted_jobs(rows: Rows) -> None:
    begin = since(rows, None).cursor
    own, foreign = rows.job(tenant="acme"), rows.job(tenant="other")
    for job in (foreign, own, foreign):
        rows.event("edited", job_id=job, job_state="queued")
    rows.event("deleted", job_id=98, details='{"tenant": "other"}')
    rows.event("deleted", job_id=99, details='{"tenant": "acme"}')
    rows.event("station_joined")
    feed = since(rows, begin, tenants=frozenset({"acme"}))
    read = [(event.type, event.job_id, event.tenant) for event in feed.events]
    assert read == [
        ("edited", own, "acme"),
        ("deleted", 99, "acme"),
        ("station_joined", None, None),
    ]
    assert feed.complete
    assert since(rows, feed.cursor, tenants=frozenset({"acme"})).events == ()
    assert [event.tenant for event in since(rows, begin).events][-3:] == ["other", "acme", None]


def test_a_cursor_that_is_too_old_or_of_another_database_is_refused(rows: Rows) -> None:
    first = rows.event("edited")
    begin = since(rows, None).cursor
    assert begin.event_id == first
    for _ in range(3):
        rows.event("edited")
    far = Snapshot(2**62, (7,))
    foreign = [
        replace(begin, made_at=begin.made_at - TOO_LATE),
        replace(begin, made_at=begin.made_at + TOO_LATE),
        replace(begin, event_id=first + 100),
        replace(begin, event_at=begin.event_at + 1),
        replace(begin, seen=None if begin.seen else far),
        replace(begin, seen=far),
        replace(begin, seen=begin.seen or far, batch=far),
    ]
    for cursor in foreign:
        feed = since(rows, cursor)
        assert feed.too_old
        assert (feed.events, feed.complete) == ((), True)
        assert list(follow(rows, feed.cursor)) == []
    assert len(since(rows, begin).events) == 3


def test_too_many_events_are_not_read(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "MOST_BEHIND", 5)
    begin = since(rows, None).cursor
    for _ in range(5):
        rows.event("edited")
    assert len(since(rows, begin, limit=2).events) == 2
    rows.event("edited")
    assert since(rows, begin, limit=2).too_old


def test_a_long_transaction_delays_nothing_and_its_own_events_come_once(
    rows_on_postgres: Rows,
) -> None:
    rows = rows_on_postgres
    rows.clear()
    cursor = since(rows, None).cursor
    with psycopg.connect(address(rows)) as long:
        late = long.execute(INSERT, (1, "long")).fetchone()
        assert late is not None
        fast = [rows.event("edited") for _ in range(3)]
        feed = since(rows, cursor)
        assert [event.id for event in feed.events] == fast
        assert since(rows, feed.cursor).events == ()
        fast = [rows.event("edited")]
        feed = since(rows, feed.cursor)
        assert [event.id for event in feed.events] == fast
        long.commit()
    assert [event.id for event in since(rows, feed.cursor).events] == [*late]


@pytest.mark.parametrize("seed", range(6))
def test_events_of_transactions_that_overlap_come_once_and_by_job_in_order(
    rows_on_postgres: Rows, seed: int
) -> None:
    """Some take their number early and write late: the number says nothing about the order. Each
    holds its job, as the program's transactions do."""
    rows = rows_on_postgres
    rows.clear()
    pick = random.Random(seed)
    cursor = since(rows, None).cursor
    read: list[FeedEvent] = []
    committed: dict[int, list[int]] = {}
    held: dict[int, list[tuple[int, int]]] = {}  # by writer: the job and id of each event

    def over(one: int) -> None:
        for job, number in held.pop(one, []):
            committed.setdefault(job, []).append(number)

    with ExitStack() as stack:
        writers = [stack.enter_context(psycopg.connect(address(rows))) for _ in range(5)]
        for _ in range(300):
            one = pick.randrange(len(writers))
            match pick.randrange(6):
                case 0:
                    writers[one].execute("SELECT pg_current_xact_id()")
                case 1 | 2:
                    taken = {job for other in held if other != one for job, _ in held[other]}
                    job = pick.choice([job for job in range(1, 60) if job not in taken][:10])
                    row = writers[one].execute(INSERT, (job, "")).fetchone()
                    assert row is not None
                    held.setdefault(one, []).append((job, row[0]))
                case 3:
                    writers[one].commit()
                    over(one)
                case 4 if pick.random() < 0.3:
                    writers[one].rollback()
                    held.pop(one, None)
                case _:
                    place = EventCursor.parse(str(cursor))
                    feed = since(rows, place, limit=pick.choice((1, 2, 50)))
                    read += feed.events
                    cursor = feed.cursor
        for one, writer in enumerate(writers):
            writer.commit()
            over(one)
    read += follow(rows, cursor)
    ids = [event.id for event in read]
    assert sorted(ids) == sorted(number for numbers in committed.values() for number in numbers)
    assert len(ids) == len(set(ids)) > 50
    for job, numbers in committed.items():
        assert [event.id for event in read if event.job_id == job] == numbers


async def test_events_of_a_restored_database_do_not_come_as_new(
    emptied_on_postgres: Callable[[], Database],
) -> None:
    """Their transactions have numbers of another server, which this one comes to later."""
    shop = Shop(emptied_on_postgres())
    await shop.writer.start()
    with shop.database.connect_writer() as connection, connection.begin():
        for ahead in (1, 5):
            connection.execute(
                text(
                    "INSERT INTO event (at, type, actor, station, trace_id, reason, xid) VALUES "
                    "(1, 'station_joined', '', 'old', '', '', CAST(CAST(CAST("
                    "pg_current_xact_id() AS text) AS bigint) + :ahead AS text)::xid8)"
                ),
                {"ahead": ahead + 5},
            )
    await shop.write(Join("first", "pc-1", "1.0", 15.0))
    dialect = shop.database.dialect
    begin = shop.database.read(partial(events_since, dialect=dialect, after=None)).cursor
    for _ in range(20):
        await shop.write(Leave("first"))
        await shop.write(Join("first", "pc-1", "1.0", 15.0))
    feed = shop.database.read(partial(events_since, dialect=dialect, after=begin))
    assert {event.station for event in feed.events} == {"A"}
    assert len(feed.events) == 40
    await shop.writer.stop()
    shop.database.close()
