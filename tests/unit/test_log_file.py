"""A station's log file: what it may take, what becomes of it when the disk does not."""

import json
import logging
import math
import os
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnc_station.logs.background import BackgroundHandler
from cnc_station.logs.file import LogFile, file_name, series_of
from tests.until import until

DAY_S = 86_400


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def former(path: Path) -> list[Path]:
    closed = {one: series_of(one.name) for one in path.parent.glob("*.jsonl")}
    return sorted(one for one, (of, at) in closed.items() if of == path.stem and at < math.inf)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "A.jsonl"


def test_a_file_is_begun_anew_before_it_is_too_large_and_the_oldest_go(path: Path) -> None:
    file = LogFile(path, most_bytes=10_000)
    others = path.with_name("A.B.000001.jsonl")
    for number in range(100):
        file.write(f"{number:03} {'x' * 395}\n")
        if not number:
            others.write_text("of station A.B\n")
    file.close()
    kept = [line for one in [*former(path), path] for line in lines(one)]
    assert others.exists()
    assert sum(one.stat().st_size for one in path.parent.iterdir()) <= 10_100
    assert len(kept) >= 20
    assert [int(line[:3]) for line in kept] == list(range(100 - len(kept), 100))


def test_a_file_is_begun_anew_each_day_and_kept_for_days(path: Path) -> None:
    now = [1_764_500_000.0]
    file = LogFile(path, 10**6, keep_days=3, clock=lambda: now[0])
    for day in range(6):
        file.write(f"day {day}\n")
        os.utime(path, (now[0], now[0]))
        now[0] += DAY_S
    assert [lines(one) for one in (*former(path), path)] == [
        *(["day 2"], ["day 3"], ["day 4"]),
        ["day 5"],
    ]
    file.close()
    again = LogFile(path, 10**6, clock=lambda: now[0] + DAY_S)  # a station that was off meanwhile
    again.write("day 7\n")
    assert lines(path) == ["day 7"]


def test_a_file_that_was_moved_or_deleted_is_left(path: Path) -> None:
    file, other = LogFile(path, 10**6), LogFile(path, 10**6)
    file.write("1\n")
    path.rename(path.with_name("moved"))
    file.write("2\n")
    other.write("3\n")
    assert lines(path) == ["2", "3"]
    shutil.rmtree(path.parent)
    file.write("4\n")
    assert lines(path) == ["4"]


def test_half_a_line_does_not_spoil_the_next_one(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("half a li")
    LogFile(path, 10**6).write("whole\n")
    assert lines(path) == ["half a li", "whole"]


def test_names_of_stations_become_names_of_files() -> None:
    plain, odd, same, dots = map(file_name, ("Hall-2", "../Hall 2", "..\\Hall 2", ".."))
    assert plain == "Hall-2.jsonl"
    assert len({plain, odd, same, dots}) == 4
    assert not any(set(name[:-6]) & set("./\\ ") for name in (odd, same, dots))
    assert len(file_name("日" * 60).encode()) < 100


def handler_to(
    disk: SimpleNamespace, complaints: list[str], most: int = 100
) -> tuple[BackgroundHandler, logging.Logger]:
    def write(text: str) -> None:
        disk.gate.wait(60)
        if disk.full:
            raise OSError(28, "No space left on device")
        disk.text += text

    handler = BackgroundHandler("A", write, complaints.append, most)
    log = logging.Logger("shop")  # noqa: LOG001 - of this test alone
    log.addHandler(handler)
    return handler, log


def messages(disk: SimpleNamespace) -> list[str]:
    return [json.loads(line)["message"] for line in disk.text.splitlines()]


async def test_a_full_disk_is_told_once_and_counted_when_it_has_room() -> None:
    disk, complaints = SimpleNamespace(full=True, text="", gate=threading.Event()), list[str]()
    disk.gate.set()
    handler, log = handler_to(disk, complaints)
    log.info("lost")
    await until(lambda: complaints)
    log.info("lost too")
    disk.full = False
    log.info("written")
    handler.close()
    assert complaints == ["the log can't be written: No space left on device"]
    lost = 4 - len(messages(disk))
    assert messages(disk)[-2:] == ["written", f"lines lost from this log: {lost}"]


async def test_a_disk_that_stands_still_costs_lines_and_no_memory() -> None:
    disk, complaints = SimpleNamespace(full=False, text="", gate=threading.Event()), list[str]()
    handler, log = handler_to(disk, complaints, most=100)
    for number in range(1_000):
        log.info("line %d", number)
    disk.gate.set()
    await until(lambda: "lost" in disk.text)
    for number in range(1_000, 1_050):
        log.info("line %d", number)
    handler.close()
    found = messages(disk)
    kept = [*range(100), *range(1_000, 1_050)]
    assert [text for text in found if "lost" not in text] == [f"line {n}" for n in kept]
    assert [text for text in found if "lost" in text] == ["lines lost from this log: 900"]
    assert complaints == []
