"""Texts with hidden characters, as a shop's scripts meet them: refused, or shown in escapes."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import DuplicateJob, EditJob
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.engine import StationEngine
from tests.e2e import test_cli
from tests.e2e.test_cli import Shell, either

shell = test_cli.shell


EVIL = "Plate \u202e7\x1b]0;owned\x07\x9b2J\u200b"
SHOWN = "Plate \\u202e7\\x1b]0;owned\\x07\\x9b2J\\u200b"


def spoil(database: Path) -> None:
    """Write into the tables what an earlier version accepted."""
    deep = '{"a": ' * 970 + "1" + "}" * 970
    payload = f'{{"note": {json.dumps(EVIL)}, "deep": {deep}}}'
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE job SET name = ?, work_order = ?, last_error = ?, payload = ?",
            (EVIL, "WO\x1b[31m", f"first\n{EVIL}", payload),
        )
        connection.execute("UPDATE event SET actor = ?, reason = ?", (EVIL, f"x\n{EVIL}"))


@either
def test_what_an_earlier_version_stored_cannot_reach_the_terminal(shell: Shell) -> None:
    shell("submit", "--name", "Plate", "--type", "mill", "--work-order", "WO")
    spoil(shell.database)
    for argv in (("jobs",), ("job", "1"), ("events",)):
        for as_json in ((), ("--json",)):
            done = shell(*argv, *as_json)
            assert done.returncode == 0, done.stderr
            hidden = {char for char in done.stdout if char != "\n" and not char.isprintable()}
            assert not hidden, (argv, as_json, hidden)
    assert SHOWN in shell("jobs").stdout
    lines = shell("job", "1").stdout.splitlines()
    assert f"Last error     first {SHOWN}" in lines
    found = shell.json("job", "1")
    assert found["job"]["row"]["name"] == EVIL  # what is read by programs is exact
    assert found["job"]["payload"]["note"] == EVIL
    assert shell.json("events")["events"][0]["actor"] == EVIL


def test_a_job_of_an_earlier_version_can_be_edited_and_copied_in_safe_words(shell: Shell) -> None:
    shell("submit", "--name", "Plate", "--type", "mill")
    spoil(shell.database)

    async def change() -> None:
        engine = StationEngine(Config(shell.folder, f"sqlite:///{shell.database}"))
        await engine.start()
        try:
            door = engine.local_door
            await door.execute(EditJob(1, {"priority": 90}))
            with pytest.raises(InvalidInput, match="payload: has a right-to-left override"):
                await door.execute(DuplicateJob(1))
            await door.execute(EditJob(1, {"payload": {}}))
            await door.execute(DuplicateJob(1))
        finally:
            await engine.stop()

    asyncio.run(change())
    edited, copied = (shell.json("job", number)["job"]["row"] for number in ("1", "2"))
    assert (edited["priority"], copied["priority"]) == (90, 90)
    assert edited["name"] == copied["name"] == SHOWN


@either
def test_hidden_characters_are_refused_in_words(shell: Shell) -> None:
    job = ("submit", "--type", "mill", "--name")
    said = shell.refused(1, *job, "Plate \u202e7", "--material", "steel\x1b[2J")
    assert said.splitlines() == [
        "cnc-station: name: has a right-to-left override (U+202E) at character 7",
        "cnc-station: material: has an escape character (U+001B) at character 6",
    ]
    said = shell.refused(1, *job, "A", "--payload", '{"a": 1, "a": 2}')
    assert said == 'cnc-station: payload: has the key "a" twice\n'
    said = shell.refused(1, *job, "A", "--payload", '{"a": ' + "[" * 970 + "]" * 970 + "}")
    assert said == "cnc-station: payload: is nested deeper than 64 levels\n"
    said = shell.refused(1, *job, "A", "--due", "2027-03-28 02:30")
    assert "write 2027-03-28 03:30" in said
    assert shell.json("jobs", "--state", "all")["total"] == 0


@either
def test_a_time_that_occurs_twice_is_taken_with_a_warning(shell: Shell) -> None:
    done = shell("submit", "--name", "A", "--type", "mill", "--due", "2027-10-31 02:30")
    assert done.returncode == 0
    assert "due_at: '2027-10-31 02:30' occurs twice" in done.stderr
    table = shell.file("jobs.csv", b"name,type,due\nA,mill,2027-10-31 02:30\n")
    preview = shell("import", table, "--preview")
    assert preview.returncode == 0
    assert "row 1, due: '2027-10-31 02:30' occurs twice" in preview.stderr


def test_names_in_two_spellings_are_one(shell: Shell) -> None:
    shell("submit", "--name", "Gro\u0308\u00dfe", "--type", "mill", "--work-order", "W\u00a01")
    (row,) = shell.json("jobs")["jobs"]
    assert (row["name"], row["work_order"]) == ("Größe", "W 1")
    said = shell.refused(1, "events", "--machine", "x\x1b[2J")
    assert "\x1b" not in said
    assert shell("nonsense\x1b[2J").stderr.isprintable() is False  # its line break
    assert "\x1b" not in shell("nonsense\x1b[2J").stderr


@either
def test_a_search_for_what_can_never_be_stored_finds_nothing(shell: Shell) -> None:
    shell("submit", "--name", "Gr\u00f6\u00dfe", "--type", "mill")
    for argv in ((b"jobs", b"\xff\x1b"), (b"jobs", b"--work-order", b"\xff")):
        done = subprocess.run(
            [sys.executable, "-m", "cnc_station", *argv],
            capture_output=True,
            env=shell.environ,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout.count(b"\n")) == (0, 1), done.stderr
    assert shell.json("jobs", "Gro\u0308\u00dfe")["total"] == 1


def test_a_file_of_any_name_is_imported_and_its_name_is_shown_in_escapes(shell: Shell) -> None:
    path = os.fsencode(shell.folder) + b"/jobs\xff\x1b[2J.csv"
    Path(os.fsdecode(path)).write_bytes(b"name,type\nA,mill\n")
    done = subprocess.run(
        [sys.executable, "-m", "cnc_station", "import", path],
        capture_output=True,
        env=shell.environ,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (event,) = shell.json("events", "--job", "1")["events"]
    assert event["reason"] == "imported from jobs\\udcff\\x1b[2J.csv, row 1"
