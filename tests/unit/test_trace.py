"""Which trace ids are taken from a request, and how they are told to another system."""

import re

import pytest

from cnc_station.engine.domain.random_id import random_id
from cnc_station.engine.domain.trace import given_trace_id, trace_headers

ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"X-Trace-Id": "order-7.b_1"}, "order-7.b_1"),
        ({"X-Trace-Id": "a" * 64}, "a" * 64),
        ({"X-Trace-Id": "a" * 65}, None),
        ({"X-Trace-Id": "a b"}, None),
        ({"X-Trace-Id": "a\n"}, None),
        ({"X-Trace-Id": ""}, None),
        ({"traceparent": f"00-{ID}-00f067aa0ba902b7-01"}, ID),
        ({"traceparent": f"00-{ID}-00f067aa0ba902b7-01", "X-Trace-Id": "mine"}, "mine"),
        ({"traceparent": f"00-{ID}-00f067aa0ba902b7-01", "X-Trace-Id": "not mine"}, ID),
        ({"traceparent": f"cc-{ID}-00f067aa0ba902b7-01-later"}, ID),
        ({"traceparent": f"00-{ID}-00f067aa0ba902b7-01-later"}, None),
        ({"traceparent": f"ff-{ID}-00f067aa0ba902b7-01"}, None),
        ({"traceparent": f"00-{ID.upper()}-00f067aa0ba902b7-01"}, None),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, None),
        ({"traceparent": f"00-{ID}-{'0' * 16}-01"}, None),
        ({}, None),
    ],
)
def test_a_valid_trace_is_taken_and_any_other_ignored(
    headers: dict[str, str], taken: str | None
) -> None:
    assert given_trace_id(headers) == taken


def test_a_trace_is_told_as_w3c_trace_context_where_it_fits() -> None:
    for trace_id in (ID, random_id()):
        told = trace_headers(trace_id)
        assert told["X-Trace-Id"] == trace_id
        assert re.fullmatch(f"00-{trace_id}-[0-9a-f]{{16}}-01", told["traceparent"])
        assert given_trace_id({"traceparent": told["traceparent"]}) == trace_id
        assert trace_headers(trace_id)["traceparent"] != told["traceparent"]
    assert trace_headers("order-7") == {"X-Trace-Id": "order-7"}
    assert trace_headers("0" * 32) == {"X-Trace-Id": "0" * 32}
    assert trace_headers("") == {}
