"""What a receiver's answer means: its words, whether it is final, and how long it asks to wait."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.message_formats.base import Endpoint
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.message_formats.present import is_final, refusal, wait_s
from cnc_station.engine.domain.text_gate import fault

TELEGRAM = Endpoint(1, "https://api.telegram.org", ("110201543:AAH",), MessageFormat.TELEGRAM)
WEBHOOK = Endpoint(2, "https://erp.example/", ("a secret",))
NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("status", "headers", "text", "seconds"),
    [
        (429, {"retry-after": "12"}, "", 12.0),
        (503, {"Retry-After": "Mon, 30 Nov 2026 12:00:30 GMT"}, "", 30.0),
        (503, {"Retry-After": "Mon, 30 Nov 2026 11:00:00 GMT"}, "", 0.0),
        (429, {"Retry-After": "99999999999999999999"}, "", 3600.0),
        (429, {}, '{"ok": false, "parameters": {"retry_after": 35}}', 35.0),
        (429, {"Retry-After": "soon"}, "[[", None),
        (429, {}, '{"parameters": {"retry_after": "x"}}', None),
        (429, {}, '{"parameters": {"retry_after": NaN}}', None),
        (429, {}, '{"parameters": {"retry_after": 1e400}}', None),
        (429, {"Retry-After": "Mon, 99 Foo 99999 99:99:99 +9999"}, "", None),
        (500, {"Retry-After": "12"}, "", None),
    ],
)
def test_how_long_a_receiver_asks_to_be_left_alone(
    status: int, headers: dict[str, str], text: str, seconds: float | None
) -> None:
    assert wait_s(status, headers, text.encode(), NOW) == seconds


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (400, '{"ok":false,"description":"Bad Request: chat not found"}', "chat not found"),
        (
            400,
            '{"description":"group upgraded","parameters":{"migrate_to_chat_id":-1009}}',
            "The chat has a new number: -1009.",
        ),
        (404, "no_service", "no_service"),
        (403, '{"error":{"code":"X","message":"The workflow is off"}}', "The workflow is off"),
        (403, '{"code":40301,"http":403,"error":"forbidden"}', "forbidden"),
        (500, "<html>" + "x" * 9000, ""),
        (400, "\x1b[2J\u202e", "\\x1b[2J\\u202e"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_receiver(status: int, text: str, words: str) -> None:
    assert words in refusal(TELEGRAM, status, text.encode())
    assert is_final(TELEGRAM, status) is (status < 500)
    assert not is_final(WEBHOOK, status)


@given(
    status=st.integers(100, 599),
    text=st.one_of(st.text().map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary()),
    later=st.one_of(
        st.text(), st.from_regex(r"[A-Z][a-z]{2}, [0-9]+ [A-Z][a-z]+ [0-9]+ [0-9:]+ .*")
    ),
)
def test_any_answer_of_a_receiver_is_understood_within_bounds(
    status: int, text: bytes, later: str
) -> None:
    words = refusal(TELEGRAM, status, text)
    assert len(words) <= 350
    assert fault(words) is None
    seconds = wait_s(status, {"Retry-After": later}, text, NOW)
    assert seconds is None or 0 <= seconds <= 3_600
