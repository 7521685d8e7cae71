"""Alerts and their rules from the command line."""

import json
from pathlib import Path

from tests.engine.command_line import cli


def test_rules_are_added_changed_tested_and_listed(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    added = cli(
        path,
        *("alert-rule", "add", "Night", "--by", "sound", "--kind", "machine.alarm"),
        *("--after", "10min", "--repeat", "5min", "--tells-end", "--sound", "warning=horn.wav"),
        *("--quiet", "22:00-6:30", "--quiet-day", "fri", "--zone", "Europe/Berlin"),
    )
    assert added.stdout == "Alert rule 5 added.\n", added.stderr
    changed = cli(path, "alert-rule", "edit", "Night", "--kind", "all", "--rename", "Horn")
    assert changed.stdout == "Alert rule 5 changed.\n", changed.stderr
    (*first, row) = json.loads(cli(path, "alert-rule", "list", "--json").stdout)["rules"]
    assert len(first) == 4, "the rules of a new shop"
    expected = {
        "name": "Horn",
        "channel": "sound",
        "kinds": [],
        "after_s": 600.0,
        "repeat_s": 300.0,
        "tells_end": True,
        "sounds": {"warning": "horn.wav"},
        "quiet": {
            "start_min": 1320,
            "end_min": 390,
            "time_zone": "Europe/Berlin",
            "weekdays": [4],
        },
    }
    assert {name: row["rule"][name] for name in expected} == expected
    test = json.loads(cli(path, "alert-rule", "test", "5", "--json").stdout)
    assert (test["sound"], test["message"]["state"]) == ("horn.wav", "test")
    unknown = cli(path, "alert", "acknowledge", "7")
    assert (unknown.stdout, unknown.returncode) == ("There is no alert 7.\n", 1)
