"""One thing done to many jobs from the command line."""

import json
import re

from tests.e2e.test_cli import Shell, either, shell  # noqa: F401 - a fixture

TABLE = b"Part,Machine,Tenant\n" + b"shaft,lathe,acme\n" * 3 + b"plate,mill,acme\n"


@either
def test_the_number_comes_first_and_nothing_is_done_without_a_yes(shell: Shell) -> None:  # noqa: F811 - the fixture
    assert shell("import", shell.file("day.csv", TABLE)).returncode == 0
    asked = shell("act", "pause", "--type", "lathe")
    assert (asked.returncode, asked.stdout) == (1, "3 jobs match.\n")
    assert "add --yes or --expect 3" in asked.stderr
    wrong = shell("act", "pause", "--type", "lathe", "--expect", "2")
    assert wrong.returncode == 1
    assert "selects 3 jobs now, not 2. Nothing was changed" in wrong.stderr
    assert {row["state"] for row in shell.json("jobs")["jobs"]} == {"queued"}
    done = shell("act", "pause", "--type", "lathe", "--expect", "3")
    assert (done.returncode, done.stdout) == (
        0,
        "3 jobs match.\n3 of 3 jobs changed, 0 refused.\n",
    )
    assert shell.json("jobs", "--state", "paused")["total"] == 3
    told = json.loads(shell("act", "pause", "--tenant", "acme", "--yes", "--json").stdout)
    assert (told["total"], told["done"], told["refused"]) == (4, 1, 3)
    assert told["refusals"][0]["error"] == "shaft is paused. Resume it when it may start."
    again = shell("act", "pause", "--tenant", "acme", "--yes")
    assert again.returncode == 1
    assert re.search(r"^ +1  shaft is paused\.", again.stdout, re.MULTILINE)


def test_what_would_hit_every_job_or_is_not_for_many_is_refused(shell: Shell) -> None:  # noqa: F811 - the fixture
    assert "filter: is missing" in shell.refused(1, "act", "pause", "--yes")
    assert "invalid choice: 'abort'" in shell.refused(2, "act", "abort", "--type", "mill")


def test_runs_and_schedules_that_match_are_done_by_their_number(shell: Shell) -> None:  # noqa: F811 - the fixture
    for name in ("Report A", "Report B", "Backup"):
        added = shell("schedule", "add", name, "@yearly", "--handler", "test.echo")
        assert added.returncode == 0, added.stderr
    asked = shell("schedule", "pause", "--match", "report")
    assert (asked.returncode, asked.stdout) == (1, "2 schedules match.\n")
    assert "add --yes or --expect 2" in asked.stderr
    wrong = shell("schedule", "delete", "--match", "report", "--expect", "3")
    assert wrong.returncode == 1
    assert "That is not 3. Nothing was changed." in wrong.stderr
    paused = shell("schedule", "pause", "--match", "report", "--yes").stdout
    assert "2 of 2 schedules changed, 0 refused." in paused
    told = json.loads(shell("schedule", "pause", "--match", "a", "--yes", "--json").stdout)
    assert (told["action"], told["total"], told["done"], told["refused"]) == ("pause", 3, 1, 2)
    assert "schedule: is missing" in shell.refused(1, "schedule", "delete", "--yes")
    assert "name one, or give --match" in shell.refused(
        1, "schedule", "trigger", "Backup", "--match", "a", "--yes"
    )
    none = shell("runs", "--retry", "--handler", "test.echo", "--yes")
    assert none.returncode == 0, none.stderr
    assert none.stdout.startswith("0 jobs of these runs can be retried.")
    refused = shell.refused(1, "runs", "--retry", "--outcome", "succeeded", "--yes")
    assert "outcome: must be failed or cancelled" in refused
    cancelled = json.loads(shell("runs", "--cancel", "--yes", "--json").stdout)
    assert (cancelled["action"], cancelled["total"]) == ("cancel", 0)
