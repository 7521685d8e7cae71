"""The log is not flooded, and contains what nobody caught."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnc_station.logs.repeats import MOST_OF_A_PLACE, MOST_REQUESTS, WINDOW_S, RepeatCounter


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def counted(now: list[float]) -> Iterator[tuple[logging.Logger, Kept, RepeatCounter]]:
    kept = Kept()
    counter = RepeatCounter([kept], clock=lambda: now[0])
    log = logging.getLogger("repeats")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.addHandler(counter)
    yield log, kept, counter
    log.removeHandler(counter)


def test_a_line_that_repeats_is_logged_once_and_counted() -> None:
    now = [0.0]
    with counted(now) as (log, kept, _):
        for _ in range(5_000):
            log.error("no descriptor left")
        now[0] = WINDOW_S + 1
        log.info("another")
    repeated = f"no descriptor left (repeated 4,999 times within {WINDOW_S + 1:g} s)"
    assert kept.lines == ["no descriptor left", repeated, "another"]


def test_lines_that_differ_in_what_a_peer_sends_are_counted_too() -> None:
    now = [0.0]
    with counted(now) as (log, kept, counter):
        for number in range(10_000):
            log.warning("a strange answer: %d", number)
        counter.close()
    assert len(kept.lines) == MOST_OF_A_PLACE + 1
    assert f"{10_000 - MOST_OF_A_PLACE:,} times within" in kept.lines[-1]


def test_each_request_is_logged_up_to_a_number() -> None:
    with counted([0.0]) as (log, kept, counter):
        for _ in range(MOST_REQUESTS + 50):
            log.info("GET /jobs: 200", extra={"event": "http"})
        counter.close()
    assert len(kept.lines) == MOST_REQUESTS + 1
    assert "50 times within" in kept.lines[-1]


def test_different_lines_pass_in_their_order() -> None:
    now = [0.0]
    with counted(now) as (log, kept, counter):
        for number in range(50):
            log.info("run %d", number)
        log.info("run 3")
        counter.close()
    assert kept.lines == [*(f"run {number}" for number in range(50)), "run 3"]


def test_a_line_that_cannot_be_worded_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # as in a station
    with counted([0.0]) as (log, kept, counter):
        count = logging.LogRecord("a", logging.INFO, "b", 1, "a count of %d", (10**5_000,), None)
        counter.handle(count)
        log.info("another")
    assert kept.lines == ["another"]


SLOT = """
import sys
from pathlib import Path
from cnc_station.cli.station_log import start_log
from cnc_station.config import Config
start_log(Config(Path(sys.argv[1]), "sqlite:///x", station="A"), aloud=False)
from PySide6.QtCore import QTimer, qWarning, qInstallMessageHandler
from cnc_station.desktop import log_message_of_qt
from cnc_station.loop import application, run
import asyncio, threading
qInstallMessageHandler(log_message_of_qt)
app = application()
def slot(): raise ZeroDivisionError("in a slot")
async def main():
    QTimer.singleShot(0, slot)
    qWarning("words of Qt")
    thread = threading.Thread(target=lambda: {}["in a thread"]); thread.start(); thread.join()
    asyncio.get_running_loop().call_soon(lambda: [][7])
    await asyncio.sleep(0.2)
run(main())
"""


def test_exceptions_of_slots_threads_and_callbacks_reach_the_log(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", SLOT, str(tmp_path)], check=True, timeout=60)
    told = (tmp_path / "logs" / "A.jsonl").read_text("utf-8")
    for words in ("in a slot", "in a thread", "IndexError", "words of Qt"):
        assert words in told
