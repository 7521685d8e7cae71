"""`doctor --bundle`: everything that helps, and not one secret."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from cnc_station.cli.doctor_bundle import Scrubber
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import REVISION, bring_up_to_date
from cnc_station.engine.store.webhook_tables import webhook
from tests.store.rows import Rows, job_row
from tests.store.rows import machine_row as machine

# A password for each place where one can be.
CANARIES = {
    place: f"cänary/{place} 'x'&{number}"
    for number, place in enumerate(
        (
            "redis",
            "proxy",
            "hook-path",
            "hook-secret",
            "previous",
            "machine",
            "stored",
            "smtp",
            "job",
        )
    )
}


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A data folder with secrets wherever a station keeps them, and in its log."""
    folder = tmp_path / "data"
    (folder / "logs").mkdir(parents=True, mode=0o700)
    (folder / "crashes").mkdir(mode=0o700)
    database = Database(f"sqlite:///{folder / 'station.db'}")
    bring_up_to_date(database)
    database.close()
    rows = Rows(f"sqlite:///{folder / 'station.db'}")
    rows.insert(schema.job, [job_row(name=CANARIES["job"])])
    settings = json.dumps({"address": "opc.tcp://mill", "password": CANARIES["machine"]})
    rows.insert(schema.machine, [machine(settings=settings)])
    hook = {
        "url": f"https://chat.example/{quote(CANARIES['hook-path'])}",
        "events": "", "enabled": True,
        "disabled_reason": "", "removed": False, "from_settings": False,
        "secret": CANARIES["hook-secret"], "previous_secret": CANARIES["previous"],
        "created_at": 1, "created_by": "anna", "format": "webhook", "options": "{}",
    }  # fmt: skip
    rows.insert(webhook, [hook])
    rows.close()
    stored = folder / "secrets.toml"
    stored.write_text(
        f"{json.dumps('postgresql://x@y')} = {json.dumps(CANARIES['stored'])}\n"
        f"{json.dumps('smtp://cnc@mail.example')} = {json.dumps(CANARIES['smtp'])}\n"
    )
    stored.chmod(0o600)
    leaked = "".join(f"{json.dumps({'message': f'leaked {word}'})}\n" for word in CANARIES.values())
    quoted = "".join(f"GET /{quote(word, safe='')} failed\n" for word in CANARIES.values())
    unknown = "postgresql://cnc:unknown-canary@db/x\nAuthorization: Bearer unknown-canary\n"
    unknown += '{"apiKey": "unknown-canary"} password=unknown-canary\n'
    (folder / "logs" / "Hall.jsonl").write_text(leaked + quoted + unknown + "the station started\n")
    (folder / "crashes" / "crash-20260101-000000-1.txt").write_text(f"KeyError: {leaked}")
    return folder


def _doctor(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CNC_")}
    environ |= {
        "CNC_DATA_FOLDER": str(folder), "CNC_STATION": "Hall", "CNC_CLEAR_TEXT": "allow",
        "CNC_REDIS_URL": f"redis://:{quote(CANARIES['redis'], safe='')}@127.0.0.1:9/0",
        "CNC_HTTP_PROXY": f"http://cnc:{quote(CANARIES['proxy'], safe='')}@127.0.0.1:9",
        "CNC_WEBHOOK_URL": f"https://chat.example/{quote(CANARIES['hook-path'])}",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }  # fmt: skip
    command = [sys.executable, "-m", "cnc_station", "doctor", *more]
    return subprocess.run(
        command, env=environ, cwd=folder, text=True, capture_output=True, check=False
    )


def test_a_bundle_has_what_helps_and_no_secret(station: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    done = _doctor(station, "--bundle", str(file))
    assert str(file) in done.stdout, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert {
        *("doctor.json", "versions.json", "settings.json", "database.json"),
        *("logs/Hall.jsonl", "crashes/crash-20260101-000000-1.txt"),
    } == set(texts)
    whole = "\n".join(texts.values())
    for place, word in CANARIES.items():
        if place != "job":  # in a log it is no secret
            for form in (word, quote(word), quote(word, safe=""), json.dumps(word)[1:-1]):
                assert form not in whole, place
    assert "unknown-canary" not in whole
    assert CANARIES["job"] not in texts["database.json"]
    assert "the station started" in texts["logs/Hall.jsonl"]
    health = json.loads(texts["database.json"])
    assert (health["schema"], health["rows"]["job"]) == ([REVISION], 1)
    assert json.loads(texts["settings.json"])["station"] == "Hall"
    assert {"database", "growth"} <= {one["subject"] for one in json.loads(texts["doctor.json"])}
    again = _doctor(station, "--bundle", str(file))
    assert "exists: name another file" in again.stderr
    assert again.returncode == 1


def test_what_looks_like_a_secret_is_hidden_and_other_text_is_not() -> None:
    hide = Scrubber(["s3cret", "abc"])
    assert hide("the s3cret of abc") == "the *** of abc"
    assert hide("redis://cnc:word@host/0") == "redis://cnc:***@host/0"
    assert hide.json({"api_key": None, "note": "a token: xyz"}) == (
        '{\n  "api_key": null,\n  "note": "a token: ***"\n}\n'
    )
    assert hide("a token: xyz, a key of 3 mm") == "a token: ***, a key of 3 mm"
