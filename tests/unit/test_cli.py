import json
from pathlib import Path

import pytest

from cnc_station.cli import output
from cnc_station.cli.parser import parse
from cnc_station.cli.run import run
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import Sort, SortKey


def test_wrong_usage_is_a_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "--colour"], {}) == 2
    said = capsys.readouterr().err
    assert said.startswith("cnc-station: ")
    assert "--colour" in said
    assert said.count("\n") == 1


def test_with_json_an_error_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "--json"], {"CNC_CLAIM_BATCH": "many"}) == 1
    told = json.loads(capsys.readouterr().err)["error"]
    assert told["kind"] == "invalid"
    assert told["fields"][0]["field"] == "CNC_CLAIM_BATCH"
    assert run(["frobnicate", "--json"], {}) == 2
    assert json.loads(capsys.readouterr().err)["error"]["kind"] == "usage"


def test_every_bad_option_of_a_job_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    job = ["submit", "--name", "A", "--type", "mill", "--quantity", "many", "--due", "someday"]
    assert run(job, {}) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["quantity", "due_at"]


def test_global_options_may_stand_before_or_after_the_command() -> None:
    for argv in (
        ["--json", "--database", "a.db", "jobs"],
        ["jobs", "--database", "a.db", "--json"],
    ):
        args = parse(argv)
        assert (args.json, args.database) == (True, "a.db")
        assert args.command.endswith(":jobs")


@pytest.mark.parametrize(
    "argv",
    [
        ["webhook-test", "--secret", "hush-hush"],
        ["webhook-test", "--secret=hush-hush"],
        ["jobs", "--database", "postgresql://anna:hush-hush@db/shop"],
    ],
)
def test_a_secret_among_the_arguments_is_refused_and_not_repeated(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv, {}) == 2
    said = capsys.readouterr().err
    assert "all accounts of this computer can read arguments" in said
    assert "hush" not in said


def test_no_command_opens_the_window_and_the_demo_runs_at_20_times() -> None:
    assert parse([]).command.endswith("window:window")
    assert parse(["demo"]).simulator_speed == "20"
    assert parse(["demo", "--speed", "5"]).simulator_speed == "5"


def test_a_bug_is_reported_in_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnc_station.cli.doctor.python", lambda _: 1 / 0)
    assert run(["doctor"], {}) == 70
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "Traceback" not in said


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["ID", "NAME"], [["7", "a\nb"], ["12", ""]], right="ID")
    assert capsys.readouterr().out == "ID  NAME\n 7  a b\n12\n"


def test_records_become_json() -> None:
    record = Sort(SortKey.DUE, descending=True)
    assert output.plain({"a": record, "b": frozenset({JobState.QUEUED}), 1: (2, None)}) == {
        "a": {"key": "due", "descending": True},
        "b": ["queued"],
        "1": [2, None],
    }


def test_times_are_shown_in_the_time_zone_of_the_settings() -> None:
    assert output.clock(1_795_000_000_000, "Europe/Berlin") == "2026-11-18 12:06:40"
    assert output.clock(None, "") == ""
    assert output.duration(3_725.4) == "1:02:05"


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert (
        run(["import", str(tmp_path / "gone.csv"), "--database", str(tmp_path / "a.db")], {}) == 1
    )
    assert "gone.csv: can't be read: No such file" in capsys.readouterr().err


def test_what_a_command_has_printed_cannot_change_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_lines("\x1b[31mred\a\r\nnext\tline ✓\r")
    assert capsys.readouterr().out == "\\x1b[31mred\\x07\nnext\tline ✓\\x0d\n"


def test_a_job_is_found_by_what_another_system_calls_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environ = {"CNC_DATA_FOLDER": str(tmp_path), "USER": "erp"}
    told = ["--customer", "Krämer", "--notes", "deburr\nby hand", "--description", "For the pump"]
    job = ["submit", "--name", "A", "--type", "mill", "--external-id", "4711", *told, "--json"]
    assert run(job, environ) == 0
    assert run(job, environ) == 1
    assert "4711 is already job 1." in capsys.readouterr().err
    for options, found in (
        (["--external-id", "4711", "--owner", "erp", "kräm"], ["deburr\nby hand"]),
        (["--external-id", "4712"], []),
        (["--owner", "anna"], []),
        (["--handler", "test.echo"], []),
    ):
        assert run(["jobs", *options, "--json"], environ) == 0
        jobs = json.loads(capsys.readouterr().out)["jobs"]
        assert [row["notes"] for row in jobs] == found
    assert run(["job", "1"], environ) == 0
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("Krämer", "4711", "For the pump", "erp"))
