"""One record is one line, in the file and at the terminal, whatever its texts contain."""

import json
import logging
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from cnc_station.engine.domain.notice import Notice, NoticeEvent, Topic
from cnc_station.engine.domain.transitions import JOB_TRANSITIONS
from cnc_station.logs.job_events import WORDS, WrittenEvents, event_lines
from cnc_station.logs.lines import FIELDS, JsonLines, json_text
from tests.tools.station_log import logged, logging_into

FORGED = "gone\n2026-11-30 12:00:00,000 INFO all is well\x1b[2J\u202e"
ALWAYS = {"timestamp", "level", "service", "station", "message"}


def test_a_log_record_is_one_line_whatever_it_quotes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_into(tmp_path, aloud=True) as log:
        log.warning("machine %s", FORGED)
        try:
            raise ValueError(FORGED)
        except ValueError:
            log.exception("a bug")
    first, second = logged(tmp_path)
    assert first["message"] == f"machine {FORGED}"
    assert (first["level"], first["service"], first["station"]) == ("warning", "cnc-station", "A")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["timestamp"])
    assert second["message"] == "a bug"
    assert second["exception"].startswith("Traceback")
    aloud = capsys.readouterr().err
    assert len(aloud.splitlines()) == 2
    text = (tmp_path / "logs" / "A.jsonl").read_text("utf-8")
    assert not {"\x1b", "\u202e"} & set(aloud + text)


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    with logging_into(tmp_path, aloud=False) as log:
        log.warning("x" * 10**6)
    (found,) = logged(tmp_path)
    assert found["message"].endswith("xx…")
    assert len(found["message"]) < 5_000


def test_a_record_has_the_fields_of_its_call_and_of_its_request(tmp_path: Path) -> None:
    with logging_into(tmp_path, aloud=False) as log, bound_contextvars(trace_id="t1", job_id=7):
        log.info("GET /jobs: 200", extra={"event": "http", "status": 200, "name_of_body": "x"})
    (found,) = logged(tmp_path)
    assert found.keys() == ALWAYS | {"event", "status", "trace_id", "job_id", "logger"}
    assert (found["event"], found["status"], found["trace_id"], found["job_id"]) == (
        *("http", 200),
        *("t1", 7),
    )


def test_the_terminal_shows_json_on_request_and_else_no_request_that_went_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("text", "json"):
        with logging_into(tmp_path / form, aloud=True, form=form) as log:
            log.info("GET /jobs: 200", extra={"event": "http", "status": 200})
            log.info("GET /jobs: 500", extra={"event": "http", "status": 500})
    text, *lines = capsys.readouterr().err.splitlines()
    assert text.endswith("INFO GET /jobs: 500")
    assert [json.loads(line)["status"] for line in lines] == [200, 500]


ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=200)
NUMBERS = st.integers(0, 2**63) | st.floats()


@given(ANY_TEXT, st.dictionaries(st.sampled_from(FIELDS), ANY_TEXT | NUMBERS), ANY_TEXT)
def test_any_text_in_any_field_stays_on_its_line_and_reads_back(
    message: str, fields: dict[str, Any], station: str
) -> None:
    record = logging.makeLogRecord({"msg": message, "levelname": "INFO", **fields})
    line = JsonLines(station).format(record)
    assert len(line.splitlines()) == 1
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    found = json.loads(line)
    assert _same(found["message"], message)
    assert _same(found["station"], station)
    for name, value in fields.items():
        if isinstance(value, str):
            assert _same(found[name], value)


def _same(found: str, given: str) -> bool:
    """JSON joins two halves of a pair that stand side by side."""
    return found.encode("utf-16", "surrogatepass") == given.encode("utf-16", "surrogatepass")


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, st.sampled_from(sorted(WORDS)))
def test_any_event_stays_on_its_line_and_reads_back(
    reason: str, actor: str, tenant: str, kind: str
) -> None:
    row = {
        "at": 1_764_500_000_123,
        "type": kind,
        "job_id": 5,
        "run_id": None,
        "machine_id": 3,
        "trace_id": "t1",
        "actor": actor,
        "reason": reason,
        "details": None,
    }
    notice = Notice.of(
        NoticeEvent(Topic.DELIVERIES_QUEUED), NoticeEvent(kind, "A", 5, tenant=tenant)
    )
    text = event_lines(WrittenEvents([row], notice), "A")
    assert len(text.splitlines()) == 1
    found = json.loads(text)
    assert (found["transition"], found["job_id"], found["machine_id"]) == (kind, 5, 3)
    assert "run_id" not in found
    assert _same(found["user_id"], actor)
    assert _same(found.get("tenant", ""), tenant)
    assert _same(found["message"].removeprefix(f"job 5 {WORDS[kind].said}"), _told(reason))
    assert found["timestamp"] == "2025-11-30T10:53:20.123Z"


def _told(reason: str) -> str:
    return f": {reason}" if reason else ""


def test_each_change_of_a_jobs_state_has_its_words() -> None:
    without = {"assigned", "reordered", "pinned", "edited", "part_done", "modes_set", "inspected"}
    without |= {"file_attached", "file_removed", "first_part_checked"}
    assert JOB_TRANSITIONS.keys() - WORDS.keys() == without
    asked = {"submit", "start", "finish", "fail", "retry", "dlq"}
    assert {words.event for words in WORDS.values()} >= asked


def test_a_text_that_people_can_read_stays_readable() -> None:
    assert json_text("Fräse „Große“ 日本") == '"Fräse „Große“ 日本"'
