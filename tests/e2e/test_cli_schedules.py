"""The schedule commands as a shop's scripts see them."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.test_cli import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_schedule_is_added_shown_changed_triggered_and_deleted(shell: Shell) -> None:
    added = shell(
        *("schedule", "add", "Warm-up", "30 2 * * *", "--type", "mill", "--overlap", "allow"),
        *("--runtime", "12min", "--json"),
    )
    assert added.returncode == 0, added.stderr
    shown = json.loads(added.stdout)
    assert (shown["id"], shown["words"], len(shown["next"])) == (1, "At 02:30 every day", 5)
    assert len(shown["warnings"]) == 2
    (row,) = json.loads(shell("schedule", "list", "--json").stdout)["schedules"]
    assert (row["spec"]["time_zone"], row["spec"]["job"]["estimated_s"]) == ("Europe/Berlin", 720.0)
    assert "Schedule 1 paused." in shell("schedule", "pause", "--all").stdout
    assert re.search(r"Warm-up +30 2 \* \* \* .* paused", shell("schedule", "list").stdout)
    assert "Nothing to change." in shell("schedule", "pause", "Warm-up").stdout
    assert "Schedule 1 resumed." in shell("schedule", "resume", "1").stdout
    edited = shell("schedule", "edit", "Warm-up", "--cron", "0 6 * * 1-5", "--priority", "high")
    assert "At 06:00 on Monday through Friday" in edited.stdout
    assert json.loads(shell("schedule", "trigger", "1", "--json").stdout) == {"job": 1}
    assert json.loads(shell("job", "1", "--json").stdout)["job"]["row"]["priority"] == 90
    assert re.search(r"queued +1 +Ada", shell("schedule", "runs", "1").stdout)
    assert "06:00" in shell("schedule", "next", "1").stdout
    assert "Schedule 1 deleted." in shell("schedule", "delete", "Warm-up").stdout
    refused = shell("schedule", "trigger", "Warm-up")
    assert (refused.returncode, refused.stderr) == (
        1,
        "cnc-station: There is no schedule Warm-up.\n",
    )


def test_a_rule_that_is_wrong_is_refused_in_words(shell: Shell) -> None:
    for rule, words in (
        ("* * * * * *", "has 6 fields; seconds are not supported"),
        ("0 0 31 2 *", "is never due"),
    ):
        told = shell("schedule", "next", "--cron", rule)
        assert (told.returncode, told.stdout) == (1, "")
        assert f"cnc-station: cron: {words}" in told.stderr
    told = shell("schedule", "add", "X", "@daily", "--type", "mill", "--due", "17:00")
    assert "job.due_at: can't be set in a schedule" in told.stderr
