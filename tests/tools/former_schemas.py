"""Make the databases of former schemas that tests/store/former keeps: by the program of that time.

`python -m tests.tools.former_schemas [VERSION ...]` checks out the last commit of each schema, runs
its station on a small shop until some jobs are finished, and kills it while others run. Rows for
tables that this leaves empty come from `REST`. Each is kept as a SQLite file and as a dump of
PostgreSQL, compressed. A new schema gets its line in `MADE_BY` before the next one replaces it.
"""

import gzip
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config as Alembic
from sqlalchemy import Connection, create_engine, inspect, text

from cnc_station.engine.store import migrate
from tests.tools.servers import Postgres

KEPT = Path(__file__).parents[1] / "store" / "former"
MADE_BY = {
    1: "2b33b9eb", 2: "d0ccdb0c", 3: "8ddad5d6", 4: "19dc4474", 5: "ba104aff", 6: "7776988d",
    7: "7839bc0f", 8: "9210024b", 11: "f5c18f5d", 12: "0cf3da60", 13: "d3e5d8a4", 14: "b8ef6d6a",
    15: "7339699e", 16: "29bb0e0a", 17: "006d619b", 18: "3c04def6", 19: "1d3d3f20",
    20: "635c6fd", 21: "337254b", 22: "d1e70667", 23: "16201cf7",
}  # fmt: skip
NO_PROGRAM = {9: 8, 10: 8}
"""Schemas that were the newest of no program that could start, and the one they are made of."""

_JOBS = 10  # of the demo's day
_PROGRAM = "({name})\nG21 G90\nG0 X0 Y0\nG1 X60 F600\nM30\n"
_FINISHED = 3
_START_S = 60.0
# Of a dump: what psql alone understands, and what hides the schema from the program.
_NOT_KEPT = re.compile(r"\\|--|SET |SELECT pg_catalog.set_config")

_JOB = "(SELECT min(id) FROM job WHERE state = 'completed')"
_REMOTE = {"id": "3", "station": "'Hall 1'", "action": "'hold'", "job_id": _JOB,
           "actor": "'ben'", "reason": "'chips'", "asked_at": "9"}  # fmt: skip
_SPEC = (
    '\'{"name": "Warm up", "machine_type": "mill", "complexity": 1, "estimated_s": 60.0, '
    '"handler": "machine.program", "axes": 1, "quantity": 1, "payload": {}}\''
)
REST: Mapping[str, Mapping[str, str]] = {
    "errand": _REMOTE,
    "remote_command": _REMOTE,
    "doubtful_program": {"sha256": f"'{'d' * 64}'"},
    "setting": {"key": "'theme'", "value": "'\"dark\"'"},
    "schedule": {"id": "2", "version": "4", "name": "'Warm up'", "cron": "'0 6 * * *'",
                 "time_zone": "'Europe/Berlin'", "tenant": "''", "catch_up": "'once'",
                 "overlap": "'skip'", "jitter_s": "0", "paused": "TRUE", "as_of": "5",
                 "created_at": "6", "created_by": "'anna'", "job": _SPEC},
    "schedule_firing": {"id": "1", "schedule_id": "2", "due_at": "7", "planned_at": "7",
                        "fired_at": "8", "state": "'fired'", "job_id": _JOB,
                        "actor": "'schedule'", "reason": "''"},
    "webhook": {"id": "1", "url": "'https://shop.example/hook'", "events": "'[\"job:completed\"]'",
                "enabled": "FALSE", "disabled_reason": "'gone'", "removed": "FALSE",
                "from_settings": "FALSE", "secret": "'a secret of eight'", "created_at": "5",
                "created_by": "'anna'", "format": "'webhook'", "options": "'{}'"},
    "delivery": {"id": "1", "key": "'k1'", "webhook_id": "1", "event": "'job:completed'",
                 "job_id": _JOB, "tenant": "''", "at": "10", "state": "'delivered'", "tries": "1",
                 "token": "1", "station": "'Hall 1'", "ended_at": "12", "last_status": "200",
                 "last_error": "''", "name": "'Bracket'", "priority": "9",
                 "status": "'completed'", "completed_at": "10", "run_ms": "60", "attempt": "1",
                 "trace_id": "'t'", "payload": "'{}'"},
    "delivery_attempt": {"id": "1", "delivery_id": "1", "at": "11", "station": "'Hall 1'",
                         "url": "'https://shop.example/hook'", "request_headers": "'{}'",
                         "status": "200", "response_headers": "'{}'", "response": "'ok'",
                         "truncated": "FALSE", "error": "''", "duration_s": "0.25"},
    "alert": {"id": "1", "key": "'machine.alarm:1:7'", "kind": "'machine.alarm'",
              "severity": "'error'", "machine_id": "1", "args": "'{\"machine\": \"Mill 1\"}'",
              "since": "7", "raised_at": "8", "ended_at": "30"},
    "alert_step": {"alert_id": "1", "rule_id": "1", "sent": "1", "sent_at": "9", "done": "TRUE"},
    "alert_message": {"id": "1", "at": "9", "alert_id": "1", "rule_id": "1",
                      "rule_name": "'Faults in the window'", "channel": "'window'",
                      "sound": "''", "error": "''", "message": "'{}'"},
    "idempotency_key": {"principal": "'anna'", "request_key": "'k1'", "request_hash": "'ab'",
                        "at": "5", "result": "'[1]'"},
    "home": {"id": "1", "computer": "'c'", "name": "'Hall 1'", "path": "'p'", "file": "'f'"},
    "run_figures": {"run_id": "900", "job_id": "900", "job": "'Gone'", "work_order": "''",
                    "operation": "''", "tenant": "''", "customer": "''",
                    "machine_type": "'mill'", "material": "'steel'",
                    "handler": "'machine.program'", "station": "'Hall 1'", "attempt": "1",
                    "outcome": "'succeeded'", "quantity": "4", "good": "4",
                    "estimated_s": "60", "assigned_at": "1", "started_at": "2", "ended_at": "3"},
    "account": {"id": "3", "version": "2", "name": "'Ada'", "name_key": "'ada'",
                "email": "'ada@shop.example'", "email_key": "'ada@shop.example'",
                "role": "'administrator'", "tenants": "'[\"a\"]'", "enabled": "TRUE",
                "language": "'de'", "password": "'$argon2id$'", "pin": "'$argon2id$'",
                "badge": "'ab'", "created_at": "5", "changed_at": "6", "signed_on_at": "7",
                "removed": "FALSE"},
    "failed_sign_on": {"scope": "'network of Hall 1'", "failures": "2", "last_at": "9"},
    "tenant": {"id": "1", "version": "1", "name": "'a'", "limits": "'{\"active\": \"9\"}'",
               "created_at": "5"},
    "token": {"jti": "'j'", "account_id": "3", "label": "'ERP'", "issued_at": "5",
              "expires_at": "9", "revoked_at": "8"},
    "signing_key": {"kid": "'k'", "secret": "'s'", "created_at": "5", "accepted_until": "9"},
    "counted_attempt": {"id": "1", "account_id": "3", "limited": "'create'", "at": "9"},
    "attachment_content": {"sha256": "'ab'", "kind": "'image/png'", "width": "1", "height": "1",
                           "size": "2", "content": "'xy'"},
    "attachment": {"id": "1", "job_id": _JOB, "sha256": "'ab'", "name": "'part.png'",
                   "added_at": "5", "added_by": "'anna'"},
    "set_up_sheet": {"program": "'plate.ngc'", "version": "1", "notes": "'soft jaws'",
                     "tools": "'[]'", "work_offsets": "'[]'", "first_part": "TRUE",
                     "edited_at": "5", "edited_by": "'anna'"},
    "import_mapping": {"fingerprint": "'ab'", "mapping": "'{}'", "at": "5"},
}  # fmt: skip
"""Values, as SQL, for a row of each table that the demo leaves empty."""


@contextmanager
def _program_of(version: int) -> Iterator[Path]:
    """The program of a schema, with a small shop as its demo."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git = ["git", "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", tree, MADE_BY[version]], check=True)
        try:
            _make_small(tree / "resources" / "demo")
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


def _make_small(demo: Path) -> None:
    day = demo / "day.csv"
    rows = day.read_text().splitlines()[: _JOBS + 1]
    day.write_text("\n".join(rows) + "\n")
    for program in (demo / "programs").iterdir():
        if any(program.name in row for row in rows):
            program.write_text(_PROGRAM.format(name=program.stem))
        else:
            program.unlink()


def _run_until_some_jobs_are_finished(tree: Path, url: str) -> None:
    """Run the station, and kill it while jobs run."""
    data = tree.parent / "data"
    data.mkdir(exist_ok=True)
    settings = {
        "DATA_FOLDER": str(data), "DATABASE_URL": url, "STATION": "Hall 1", "OPERATOR": "anna",
        "HEALTH_PORT": "0", "SIMULATOR_SPEED": "60", "SIMULATOR_SEED": "7",
    }  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(data)}
    environment |= {f"CNC_{name}": value for name, value in settings.items()}
    serve = [sys.executable, "-m", "cnc_station", "serve", "--demo"]
    station = subprocess.Popen(serve, cwd=tree, env=environment)
    try:
        deadline = time.monotonic() + _START_S
        while not _has(url, "completed", _FINISHED) or not _has(url, "running", 1):
            if station.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the station ended with {station.poll()}")
            time.sleep(0.1)
    finally:
        station.send_signal(signal.SIGKILL)
        station.wait()


def _has(url: str, state: str, least: int) -> bool:
    query = text("SELECT count(*) FROM job WHERE state = :state")
    try:
        return _in(url, lambda c: c.execute(query, {"state": state}).scalar_one() >= least)
    except Exception:  # noqa: BLE001 - no table yet, or locked
        return False


def _in(url: str, work: Callable[[Connection], bool]) -> bool:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def _complete(connection: Connection) -> bool:
    """Give each empty table the row of `REST`. Raise for one without."""
    inspector = inspect(connection)
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}, key=_order):
        if connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one():
            continue
        here = {column["name"] for column in inspector.get_columns(table)}
        row = {name: value for name, value in REST[table].items() if name in here}
        names, values = ", ".join(row), ", ".join(row.values())
        connection.execute(
            text(f"INSERT INTO {table} ({names}) VALUES ({values})".replace(":", r"\:"))
        )
    return True


def _order(table: str) -> int:
    return list(REST).index(table) if table in REST else -1


def _upgrade(connection: Connection, version: int) -> bool:
    configuration = Alembic()
    configuration.set_main_option("script_location", str(migrate.MIGRATIONS))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, f"{version:04}")
    return True


def _make(version: int, url: str) -> None:
    source = NO_PROGRAM.get(version, version)
    with _program_of(source) as tree:
        _run_until_some_jobs_are_finished(tree, url)
    if source != version:
        _in(url, lambda connection: _upgrade(connection, version))
    _in(url, _complete)


def _keep_file(version: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made, whole = Path(folder) / "made.db", Path(folder) / "whole.db"
        _make(version, f"sqlite:///{made}")
        with closing(sqlite3.connect(made)) as opened:
            opened.execute("VACUUM INTO ?", (str(whole),))
        _keep(f"{version:04}.db.gz", whole.read_bytes())


def _keep_dump(version: int, server: Postgres) -> None:
    with server.new_database() as url:
        _make(version, url)
        dump = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", url]
        said = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    # what psql alone understands, or what hides the schema from the program
    lines = (
        line
        for line in said.splitlines()
        if not re.match(r"\\|--|SET |SELECT pg_catalog.set_config", line)
    )
    _keep(f"{version:04}.sql.gz", "\n".join(line for line in lines if line).encode())


def _keep(name: str, content: bytes) -> None:
    kept = gzip.compress(content, 9, mtime=0)
    (KEPT / name).write_bytes(kept)
    print(f"{name}: {len(kept):,} bytes", flush=True)


def main(versions: Sequence[str]) -> None:
    """Make those of these versions, or of all."""
    KEPT.mkdir(exist_ok=True)
    with Postgres() as server:
        for version in [int(one) for one in versions] or sorted({*MADE_BY, *NO_PROGRAM}):
            _keep_file(version)
            _keep_dump(version, server)


if __name__ == "__main__":
    main(sys.argv[1:])
