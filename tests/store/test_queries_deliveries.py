"""The lists of endpoints and deliveries, their counts, and the indexes that serve them."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.queries.webhooks import deliveries, delivery_counts, webhooks
from cnc_station.engine.store.webhook_tables import delivery, webhook
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryState
from tests.store.rows import NOW, Rows
from tests.store.test_queries_plans import plans

DEAD, DELIVERED, PENDING = DeliveryState.DEAD, DeliveryState.DELIVERED, DeliveryState.PENDING
MANY = 2_000


def endpoint(webhook_id: int, **values: Any) -> dict[str, Any]:
    return {
        "id": webhook_id,
        "url": f"http://erp/{webhook_id}",
        "events": " job:completed ",
        "enabled": True,
        "disabled_reason": "",
        "removed": False,
        "from_settings": False,
        "secret": "a secret",
        "created_at": NOW,
        "created_by": "anna",
        **values,
    }


def sent(number: int, state: DeliveryState, webhook_id: int = 1, **values: Any) -> dict[str, Any]:
    over = state is DELIVERED
    return {
        "key": f"{number:032}",
        "webhook_id": webhook_id,
        "event": "job:completed",
        "job_id": number,
        "tenant": "",
        "at": NOW,
        "state": state.value,
        "due_at": None if over else NOW,
        "tries": 0,
        "token": 0,
        "station": None,
        "ended_at": NOW if over else None,
        "last_error": "",
        "name": "Bracket",
        "priority": 0,
        "status": "completed",
        "attempt": 1,
        "trace_id": "",
        "payload": "{}",
        **values,
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """Endpoint 1 with many deliveries, 2 disabled with a few, 3 without any."""
    path: Path = tmp_path_factory.mktemp("deliveries") / "shop.db"
    rows = Rows(f"sqlite:///{path}")
    broken: dict[str, Any] = {"last_error": "The receiver answered 500.", "last_status": 500}
    with rows.writer.begin():
        off = endpoint(2, enabled=False)
        rows.writer.execute(insert(webhook), [endpoint(1), off, endpoint(3)])
        add = partial(rows.writer.execute, insert(delivery))
        add([sent(number, DELIVERED) for number in range(1, MANY + 1)])
        add([sent(MANY + 1, DEAD, name="Flange", **broken)])
        add([sent(MANY + 2, DEAD, event="webhook:test", due_at=None, ended_at=NOW)])
        add([sent(MANY + 3, DEAD, 2, due_at=None, ended_at=NOW)])
        add([sent(number, PENDING) for number in range(MANY + 4, MANY + 14)])
    yield rows
    rows.close()


def read(shop: Rows, query: Callable[[Connection], Any]) -> Any:
    database: Database = shop.database
    return database.read(query)


def test_an_endpoint_is_listed_with_its_newest_delivery_that_was_tried(shop: Rows) -> None:
    first, second, third = read(shop, lambda c: webhooks(c, NOW))
    assert (first.pending, first.dead) == (10, 1)  # without the test
    assert first.last.job_id == MANY + 2
    assert (second.dead, second.last.state) == (1, DEAD)
    assert (third.pending, third.dead, third.last) == (0, 0, None)


@pytest.mark.parametrize(
    ("chosen", "counts", "replayable"),
    [
        (DeliveryFilter(), (10, MANY, 3), MANY + 12),
        (DeliveryFilter(states=frozenset({DEAD})), (10, MANY, 3), 2),
        (DeliveryFilter(webhook_id=2), (0, 0, 1), 0),
        (DeliveryFilter(text="FLANGE 500"), (0, 0, 1), 1),
        (DeliveryFilter(text=str(MANY + 5)), (1, 0, 0), 1),
        (DeliveryFilter(text="100%"), (0, 0, 0), 0),
    ],
)
def test_deliveries_are_counted_by_state_with_those_that_can_be_replayed(
    shop: Rows, chosen: DeliveryFilter, counts: tuple[int, ...], replayable: int
) -> None:
    found = read(shop, lambda c: delivery_counts(c, chosen))
    assert tuple(found.by_state[state] for state in (PENDING, DELIVERED, DEAD)) == counts
    assert found.replayable == replayable


@pytest.mark.parametrize("states", [(), (PENDING,), (DEAD,), (DELIVERED,), (DEAD, PENDING)])
def test_a_page_has_the_newest_first_and_the_total_of_its_filter(
    shop: Rows, states: tuple[DeliveryState, ...]
) -> None:
    chosen = DeliveryFilter(states=frozenset(states))
    page = read(shop, lambda c: deliveries(c, chosen, 0, 5))
    by_state = read(shop, lambda c: delivery_counts(c, chosen)).by_state
    assert page.total == sum(by_state[state] for state in states or by_state)
    ids = [row.id for row in page.rows]
    assert ids == sorted(ids, reverse=True)
    assert {row.state for row in page.rows} <= set(states or DeliveryState)
    following = read(shop, lambda c: deliveries(c, chosen, 2, 2))
    assert [row.id for row in following.rows] == ids[2:4]


def test_both_databases_count_list_and_search_alike(rows: Rows) -> None:
    rows.insert(webhook, [endpoint(1)])
    late = sent(3, DEAD, last_error="The receiver answered 500.")
    rows.insert(delivery, [sent(1, DELIVERED), sent(2, PENDING), late])
    (row,) = read(rows, lambda c: webhooks(c, NOW))
    assert (row.pending, row.dead, row.last.job_id) == (1, 1, 3)
    for state, job_id in ((DELIVERED, 1), (PENDING, 2), (DEAD, 3)):
        chosen = DeliveryFilter(1, states=frozenset({state}), text=f"BRACKET {job_id}")
        page = read(rows, partial(deliveries, chosen=chosen, offset=0, limit=5))
        assert ([one.job_id for one in page.rows], page.total) == ([job_id], 1)
        assert read(rows, partial(delivery_counts, chosen=chosen)).replayable == 1


def test_what_waits_or_is_dead_is_found_without_a_look_at_what_was_delivered(shop: Rows) -> None:
    for states, index in ((PENDING, "delivery_due"), (DEAD, "delivery_dead")):
        for webhook_id in (None, 1):
            chosen = DeliveryFilter(webhook_id, states=frozenset({states}))
            lines = plans(shop, partial(deliveries, chosen=chosen, offset=0, limit=50))
            assert any(index in line for line in lines[-4:]), lines


def test_lists_come_in_order_from_their_index(shop: Rows) -> None:
    for chosen in (
        DeliveryFilter(),
        DeliveryFilter(webhook_id=1),
        DeliveryFilter(webhook_id=1, states=frozenset({DELIVERED})),
    ):
        lines = plans(shop, partial(deliveries, chosen=chosen, offset=0, limit=50))
        assert not [line for line in lines if "ORDER BY" in line], lines


def test_endpoints_and_counts_read_no_row_of_what_was_delivered(shop: Rows) -> None:
    lines = plans(shop, lambda c: webhooks(c, NOW))
    lines += plans(shop, lambda c: delivery_counts(c, DeliveryFilter(states=frozenset({DEAD}))))
    assert "SCAN delivery" not in lines, lines
