"""`cnc-station logs` and what it reads: the files of all stations of a folder, merged by time."""

import json
import logging
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.cli.run import run
from cnc_station.logs.file import LogFile
from cnc_station.logs.lines import json_line, timestamp
from cnc_station.logs.reader import LogFilter, LogFolder, LogLine

AT = 1_764_500_000_000


def line(at: int, station: str = "A", level: str = "info", **fields: object) -> str:
    first = {"timestamp": timestamp(AT + at), "level": level, "station": station}
    return json_line(first | {"message": f"at {at}"} | fields) + "\n"


def at(found: list[LogLine]) -> list[int]:
    return [int(one.fields["message"].removeprefix("at ")) for one in found]


def newest(folder: Path, **chosen: Any) -> list[int]:
    return at([*LogFolder(folder).newest(LogFilter(**chosen))])


def shown(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> list[str]:
    environ = {"CNC_LOG_FOLDER": str(folder), "CNC_TIME_ZONE": "UTC"}
    assert run(["logs", *options], environ) == 0
    return capsys.readouterr().out.splitlines()


def test_the_files_of_all_stations_are_merged_by_time(tmp_path: Path) -> None:
    (tmp_path / "A.000001.jsonl").write_text(line(1) + line(4))
    (tmp_path / "A.jsonl").write_text(line(6) + line(8))
    (tmp_path / "B.jsonl").write_text("".join(line(number, "B") for number in (2, 3, 5, 7)))
    assert newest(tmp_path) == [8, 7, 6, 5, 4, 3, 2, 1]
    assert newest(tmp_path, station="b") == [7, 5, 3, 2]
    assert newest(tmp_path, since=timestamp(AT + 6)) == [8, 7, 6]


def test_lines_are_chosen_by_job_trace_and_level(tmp_path: Path) -> None:
    (tmp_path / "A.jsonl").write_text(
        line(1, job_id=1, trace_id="t1")
        + line(2, job_id=11, trace_id="t11", level="warning")
        + line(3, job_id=1, trace_id='a "trace" of others', level="error")
        + line(4, run_id=1, trace_id="t1", note='"level":"info"', level="critical")
    )
    assert newest(tmp_path, job_id=1) == [3, 1]
    assert newest(tmp_path, trace_id="t1") == [4, 1]
    assert newest(tmp_path, trace_id='a "trace" of others') == [3]
    assert newest(tmp_path, level=logging.WARNING) == [4, 3, 2]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.text(max_size=30), st.integers(0, 3))))
def test_whatever_was_written_is_read_newest_first(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[int, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    for one in range(4):
        mine = sorted(item for item in written if item[2] == one)
        texts = [line(moment, str(one), tenant=text) for moment, text, _ in mine]
        (folder / f"{one}.jsonl").write_text("".join(texts), "utf-8")
    found = [*LogFolder(folder).newest(LogFilter())]
    assert at(found) == sorted((moment for moment, *_ in written), reverse=True)
    assert sorted(one.fields["tenant"] for one in found) == sorted(text for _, text, _ in written)


def test_what_is_no_line_of_a_log_is_counted_and_left_out(tmp_path: Path) -> None:
    hostile = [
        "",
        "[1]",
        '{"timestamp": 5}',
        '{"timestamp":"9\\u001b[2J"}',
        "\x00\x1b[2J",
        "[" * 9000,
    ]
    text = line(1) + "".join(f"{one}\n" for one in hostile) + line(2) + line(3)[:40]
    (tmp_path / "A.jsonl").write_text(text)
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "A.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    folder = LogFolder(tmp_path)
    assert at([*folder.newest(LogFilter())]) == [2, 1]
    assert folder.unreadable == len(hostile) - 1
    assert folder.refused == {}


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "A.jsonl").open("w") as file:
        file.write(line(1))
        for _ in range(40):
            file.write("x" * 1_000_000)
        file.write("\n" + line(2))
    tracemalloc.start()
    try:
        assert newest(tmp_path) == [2, 1]
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_what_is_appended_is_followed_also_into_the_next_file(tmp_path: Path) -> None:
    file, other = LogFile(tmp_path / "A.jsonl", 2_000), tmp_path / "B.jsonl"
    file.write(line(1) + line(2))
    folder = LogFolder(tmp_path)
    assert folder.new(LogFilter()) == []
    told: list[int] = []
    for number in range(3, 23, 2):
        file.write(line(number))
        with other.open("a") as opened:
            opened.write(line(number + 1, "B")[:-1])
        told += at(folder.new(LogFilter()))
        with other.open("a") as opened:
            opened.write("\n")
    told += at(folder.new(LogFilter()))
    assert len([*tmp_path.glob("A*.jsonl")]) > 2
    assert sorted(told) == list(range(3, 23))
    assert [number for number in told if number % 2] == list(range(3, 23, 2))
    other.write_text(line(30))
    assert at(folder.new(LogFilter(level=logging.INFO))) == [30]


def test_people_read_time_station_level_message_and_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hall = json_line(
        {
            "timestamp": timestamp(AT),
            "level": "warning",
            "station": "Hall 2",
            "message": "lost\nthe \x1b[2Jcable",
            "job_id": 7,
            "machine_id": 3,
        }
    )
    (tmp_path / "hall.jsonl").write_text(hall + "\n")
    (tmp_path / "A.jsonl").write_text(line(2_000, event="http", duration_ms=1.5))
    assert shown(capsys, tmp_path) == [
        "2025-11-30 10:53:20  Hall 2  warning  lost the \\x1b[2Jcable (job 7) (machine 3)",
        "2025-11-30 10:53:22  A       info     at 2000 in 1.5 ms",
    ]
    (found,) = shown(capsys, tmp_path, "--json", "--job", "7")
    assert json.loads(found) == json.loads(hall)
    assert "\x1b" not in found


def test_the_newest_are_shown_and_the_rest_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "A.jsonl").write_text("".join(line(number) for number in range(50)))
    environ = {"CNC_LOG_FOLDER": str(tmp_path), "CNC_TIME_ZONE": "UTC"}
    assert run(["logs", "--limit", "2"], environ) == 0
    said = capsys.readouterr()
    assert [text[-5:] for text in said.out.splitlines()] == ["at 48", "at 49"]
    assert "only the newest 2 lines" in said.err
    assert shown(capsys, tmp_path, "--since", "2h") == []
    assert len(shown(capsys, tmp_path, "--since", "2025-11-30 10:53:20")) == 50
    assert run(["logs", "--since", "5 parsecs"], environ) == 1
    assert "since" in capsys.readouterr().err
