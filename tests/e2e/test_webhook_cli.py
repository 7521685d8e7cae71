"""Webhooks from the command line: endpoints, deliveries, and the receiver that tries them out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

SECRET = "a secret of the shop"


class Line:
    """The command line beside a station of its own, at work."""

    def __init__(self, folder: Path) -> None:
        self.environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "CNC_DATABASE": str(folder / "station.db"),
            "CNC_DATA_FOLDER": str(folder),
            "CNC_HEALTH_PORT": "0",
            "CNC_WEBHOOK_TIMEOUT_S": "3",
        }

    def __call__(
        self, *argv: object, typed: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cnc_station", *map(str, argv)],
            capture_output=True,
            text=True,
            env=self.environ,
            input=typed,
            timeout=60,
            check=False,
        )

    def json(self, *argv: object, typed: str | None = None) -> Any:
        done = self(*argv, "--json", typed=typed)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def running(self, *argv: str, typed: str = "") -> Iterator["subprocess.Popen[str]"]:
        process = subprocess.Popen(
            [sys.executable, "-m", "cnc_station", *argv],
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            if typed:
                process.stdin.write(typed)  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
            yield process
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    with line.running("serve") as station:
        assert station.stderr is not None
        _comes(station.stderr, "is at work")
        yield line


def _comes(stream: IO[str], words: str) -> str:
    for text in stream:
        if words in text:
            return text
    raise AssertionError(f"{words!r} did not come")


@contextmanager
def receiving(
    line: Line, *argv: str, secret: str | None = None
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    given = ["--secret-from-stdin"] if secret else []
    command = ["webhook-test", "--port", "0", *given, *argv]
    with line.running(*command, typed=f"{secret}\n" if secret else "") as process:
        assert process.stdout is not None
        yield _comes(process.stdout, "Receiving").split()[-1], process


def test_an_endpoint_is_added_tested_rotated_and_deleted(line: Line) -> None:
    with receiving(line, "--count", "1", secret=SECRET) as (url, process):
        added = line("webhook", "add", url, "--secret-from-stdin", typed=f"{SECRET}\n")
        assert added.returncode == 0, added.stderr
        assert SECRET in added.stdout
        tested = line("webhook", "test", 1)
        assert (tested.returncode, "delivered" in tested.stdout) == (0, True), tested
        assert process.wait(30) == 0
        assert "signature valid" in process.stdout.read()  # type: ignore[union-attr]
    (row,) = line.json("webhook", "list")["webhooks"]
    assert (row["id"], row["url"]) == (1, url)
    assert SECRET not in json.dumps(row)
    rotated = line.json("webhook", "rotate", 1, "--overlap", "2h")
    assert rotated["secret"].startswith("whsec_")
    assert line("webhook", "disable", 1).returncode == 0
    assert line.json("webhook", "list")["webhooks"][0]["enabled"] is False
    changed = line("webhook", "edit", 1, "--event", "job:failed", "--tenant", "acme")
    assert changed.stdout == "Webhook 1 changed.\n", changed.stderr
    (row,) = line.json("webhook", "list")["webhooks"]
    assert (row["url"], row["events"], row["tenant"]) == (url, ["job:failed"], "acme")
    assert row["enabled"] is False
    assert line("webhook", "enable", 1).returncode == 0
    assert line("webhook", "edit", 1, "http://erp.example/x", "--all-tenants").returncode == 0
    (row,) = line.json("webhook", "list")["webhooks"]
    assert (row["url"], row["tenant"]) == ("http://erp.example/x", None)
    assert (row["events"], row["enabled"]) == (["job:failed"], True)
    assert "events" in line("webhook", "edit", 1, "--event", "no:such").stderr
    assert line("webhook", "delete", 1).returncode == 0
    assert line.json("webhook", "list")["webhooks"] == []
    gone = line("webhook", "delete", 1)
    assert (gone.returncode, "There is no webhook 1." in gone.stderr) == (1, True)


@pytest.mark.parametrize(
    ("respond", "words"),
    [("500", "answered 500"), ("close", "closed the connection"), ("hang", "no complete answer")],
)
def test_a_receiver_answers_badly_if_it_is_asked_to(line: Line, respond: str, words: str) -> None:
    with receiving(line, "--respond", respond) as (url, _):
        line("webhook", "add", url)
        tested = line("webhook", "test", 1)
        assert tested.returncode == 1
        (row,) = line.json("webhook", "deliveries", "--state", "dead")["deliveries"]
        assert words in row["last_error"]
        detail = line.json("webhook", "deliveries", row["id"])
        assert json.loads(detail["body"])["event"] == "webhook:test"
        replay = ("webhook", "replay", "--state", "dead")
        refused = line(*replay, "--expect", 7)
        assert (refused.returncode, "1 delivery can be sent" in refused.stdout) == (1, True)
        assert "add --yes or --expect 1" in line(*replay).stderr
        told = line.json(*replay, "--yes")
        assert (told["done"], told["total"], told["refused"]) == (1, 1, 0)
        missing = line("webhook", "replay", 77)
        assert (missing.returncode, "Delivery 77 can't" in missing.stdout) == (1, True)


def test_every_format_is_added_tested_and_replayed(line: Line) -> None:
    token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
    with receiving(line, "--count", "5") as (url, process):
        ntfy = ("webhook", "add", f"{url}topic", "--format", "ntfy", "--ntfy-priority", "info=2")
        assert line(*ntfy, "--tag", "cnc").stdout == "Webhook 1 added.\n"
        slack = ("webhook", "add", "--format", "slack", "--url-from-stdin")
        assert line(*slack, typed=f"{url}services/hidden-part-of-it\n").returncode == 0
        telegram = ("webhook", "add", url, "--format", "telegram", "--chat", "-100")
        assert "secret: is missing" in line(*telegram).stderr
        assert line(*telegram, "--secret-from-stdin", typed=f"{token}\n").returncode == 0
        template = ("webhook", "add", f"{url}{{machine}}", "--format", "template")
        made = line(*template, "--header", "X-Title: {title}", "--body-form", "t={text}")
        assert made.returncode == 0, made.stderr
        listed = line.json("webhook", "list")["webhooks"]
        formats = [(row["format"], row["url"]) for row in listed]
        assert formats == [
            *(("ntfy", f"{url}topic"), ("slack", f"{url}…"), ("telegram", url)),
            ("template", f"{url}{{machine}}"),
        ]
        assert listed[0]["options"]["priorities"] == {"info": 2}
        raised = line("webhook", "edit", 1, "--ntfy-priority", "critical=4")
        assert raised.returncode == 0, raised.stderr
        assert line("webhook", "edit", 2, "--event", "job:failed").returncode == 0
        assert line("webhook", "edit", 4, "--header", "X-Name: {title}").returncode == 0
        listed = line.json("webhook", "list")["webhooks"]
        assert listed[0]["options"]["priorities"] == {"info": 2, "critical": 4}
        assert listed[0]["options"]["tags"] == ["cnc"]
        assert listed[3]["options"]["template"]["headers"] == {"X-Name": "{title}"}
        assert listed[3]["options"]["template"]["body"] == "t={text}"
        for number in range(1, 5):
            tested = line("webhook", "test", number)
            assert (tested.returncode, "delivered" in tested.stdout) == (0, True), tested
        again = line("webhook", "replay", "--event", "webhook:test", "--webhook", 3, "--expect", 1)
        assert again.returncode == 0, again.stderr
        assert process.wait(30) == 0
        came = process.stdout.read()  # type: ignore[union-attr]
    assert came.count('"chat_id"') == 2
    assert "t=Messages+of+CNC+Station" in came
    shown = json.dumps([listed, *(line.json("webhook", "deliveries", n) for n in range(1, 5))])
    assert "hidden-part" not in shown
    assert token not in shown


def test_a_wrong_secret_is_shown_and_refused(line: Line) -> None:
    with receiving(line, "--count", "1", secret="another secret") as (url, process):
        line("webhook", "add", url)
        assert line("webhook", "test", 1).returncode == 1
        assert process.wait(30) == 1
        assert "SIGNATURE NOT VALID" in process.stdout.read()  # type: ignore[union-attr]
    assert line("webhook-test", "--respond", "99").returncode == 1


def test_the_secret_of_the_settings_is_kept_like_a_password(tmp_path: Path) -> None:
    line = Line(tmp_path)
    assert line("secret", "set", "webhook", "--file", typed=f"{SECRET}\n").returncode == 1
    with receiving(line, "--count", "1", secret=SECRET) as (url, process):
        line.environ["CNC_WEBHOOK_URL"] = url
        mail = {"CNC_SMTP_HOST": "mail.example", "CNC_SMTP_USER": "anna@shop.example"}
        line.environ |= mail
        assert "smtp_from" in line("secret", "set", "smtp", "--file", typed="word\n").stderr
        line.environ["CNC_SMTP_FROM"] = "cnc@shop.example"
        assert line("secret", "set", "smtp", "--file", typed="a word\n").returncode == 0
        stored = (tmp_path / "secrets.toml").read_text("utf-8")
        assert stored == '"smtp://anna@shop.example@mail.example" = "a word"\n'
        short = line("secret", "set", "webhook", "--file", typed="short\n")
        assert (short.returncode, "secret" in short.stderr) == (1, True)
        assert line("secret", "set", "webhook", "--file", typed=f"{SECRET}\n").returncode == 0
        with line.running("serve") as station:
            assert station.stderr is not None
            _comes(station.stderr, "is at work")
            assert line("webhook", "test", 1).returncode == 0
            assert process.wait(30) == 0
