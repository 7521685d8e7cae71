"""Trace ids: the names under which a request is followed through jobs, events, logs and other
systems, also in the form of W3C Trace Context (`traceparent`)."""

import re
import secrets
from collections.abc import Mapping

TRACE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
TRACE_HEADER, PARENT_HEADER = "X-Trace-Id", "traceparent"
_W3C_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
# A later version may append fields; version ff is not valid.
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_RECORDED = "01"


def given_trace_id(headers: Mapping[str, str]) -> str | None:
    """Return the trace id that a request names; None if it names none that is valid."""
    given = headers.get(TRACE_HEADER, "")
    if TRACE_ID.fullmatch(given):
        return given
    parent = _PARENT.fullmatch(headers.get(PARENT_HEADER, ""))
    if parent is None or not _W3C_ID.fullmatch(parent[1]):
        return None
    return parent[1] if parent[2] is None or not parent[0].startswith("00") else None


def trace_headers(trace_id: str) -> dict[str, str]:
    """Return the headers that name a trace to another system; none for "". Each request is a span
    of its own."""
    if not trace_id:
        return {}
    headers = {TRACE_HEADER: trace_id}
    if _W3C_ID.fullmatch(trace_id):
        headers[PARENT_HEADER] = f"00-{trace_id}-{secrets.token_hex(8)}-{_RECORDED}"
    return headers
