"""Plain rows in a real database file: what the queries are tested on."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, update

from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.queries.context import QueryContext

T = TypeVar("T")

NOW = 1_790_003_400_000  # Monday, 21 September 2026, 15:10 UTC
HOUSE = QueryContext(zone=UTC)
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def job_row(**values: Any) -> dict[str, Any]:
    """A queued job for a mill, with anything changed."""
    row: dict[str, Any] = {
        "version": 1,
        "trace_id": "0" * 32,
        "name": "Bracket",
        "work_order": "",
        "operation": "",
        "tenant": "",
        "machine_type": "mill",
        "complexity": 1,
        "material": "steel",
        "axes": 3,
        "size_x": None,
        "size_y": None,
        "size_z": None,
        "priority": 0,
        "quantity": 1,
        "estimated_s": 600.0,
        "due_at": None,
        "program": None,
        "handler": "machine.program",
        "payload": "{}",
        "retry_limit": None,
        "timeout_s": None,
        "state": "queued",
        "state_since": NOW - HOUR,
        "rank": float(NOW),
        "not_before": None,
        "blocked": False,
        "pinned_machine_id": None,
        "machine_id": None,
        "run_id": None,
        "token": 0,
        "attempt": 0,
        "failures": 0,
        "last_error": "",
        "created_at": NOW - DAY,
        "finished_at": None,
        **values,
    }
    if row["state"] in {"completed", "cancelled"} and row["finished_at"] is None:
        row["finished_at"] = row["state_since"]
    names = ("name", "operation", "work_order", "customer", "external_id", "material")
    texts = (row.get(name, "") for name in names)
    return {**row, "search": " ".join(texts).lower()}


def machine_row(**values: Any) -> dict[str, Any]:
    """An idle mill, with anything changed."""
    row: dict[str, Any] = {
        "version": 1,
        "name": "Mill 1",
        "machine_type": "mill",
        "model": "VF-2",
        "driver": "simulator",
        "max_complexity": 5,
        "materials": "[]",
        "axes": 3,
        "size_x": None,
        "size_y": None,
        "size_z": None,
        "operator_clears": False,
        "settings": "{}",
        "station": "here",
        "state": "idle",
        "state_since": NOW - HOUR,
        "state_reason": "",
        "maintenance_due": False,
        "removed": False,
        "job_id": None,
        "run_id": None,
        "runs_done": 0,
        "run_seconds": 0.0,
        "last_program": "",
        "last_material": "",
        **values,
    }
    return row


def empty(connection: Connection) -> None:
    """Empty every table of a server's database, and count from 1 again.

    For the few rows of a test that takes a hundredth of the time of TRUNCATE, which makes new
    files for every table and index."""
    statements = [f"DELETE FROM {table.name}" for table in reversed(schema.metadata.sorted_tables)]
    statements.append("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'")
    connection.exec_driver_sql("; ".join(statements))


class Rows:
    """A fresh database and the means to fill it, row by row or at once."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, synchronous="OFF")
        self.writer = self.database.connect_writer()
        with self.writer.begin():
            schema.metadata.create_all(self.writer)

    def close(self) -> None:
        self.writer.close()
        self.database.close()

    def clear(self) -> None:
        with self.writer.begin():
            empty(self.writer)

    def read(self, query: Callable[[Connection], T]) -> T:
        answer: T = self.database.read(query)
        return answer

    def insert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        with self.writer.begin():
            self.writer.execute(insert(table), rows)

    def _add(self, table: Table, row: dict[str, Any]) -> int:
        with self.writer.begin():
            key = self.writer.execute(insert(table).values(row)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def link(self, machine_id: int, job_id: int, run_id: int) -> None:
        """Put a job and its run on a machine."""
        with self.writer.begin():
            self.writer.execute(
                update(schema.machine)
                .where(schema.machine.c.id == machine_id)
                .values(job_id=job_id, run_id=run_id)
            )

    def job(self, **values: Any) -> int:
        return self._add(schema.job, job_row(**values))

    def machine(self, name: str, **values: Any) -> int:
        return self._add(schema.machine, machine_row(name=name, **values))

    def after(self, job_id: int, predecessor_id: int) -> None:
        self.insert(schema.dependency, [{"job_id": job_id, "predecessor_id": predecessor_id}])

    def run(self, job_id: int, machine_id: int | None, **values: Any) -> int:
        return self._add(
            schema.run,
            {
                "job_id": job_id,
                "machine_id": machine_id,
                "station": "here",
                "attempt": 1,
                "state": "running",
                "token": 1,
                "lease_until": NOW + HOUR,
                "assigned_at": NOW - 2 * MINUTE,
                "started_at": NOW - MINUTE,
                "ended_at": None,
                "error": "",
                **values,
            },
        )

    def event(self, kind: str, **values: Any) -> int:
        return self._add(
            schema.event,
            {
                "at": NOW,
                "type": kind,
                "job_id": None,
                "run_id": None,
                "machine_id": None,
                "job_state": None,
                "run_state": None,
                "machine_state": None,
                "actor": "dispatcher",
                "station": "here",
                "trace_id": "",
                "reason": "",
                "details": None,
                **values,
            },
        )

    def program(self, sha256: str, name: str, content: bytes, **values: Any) -> str:
        row: dict[str, Any] = {
            "sha256": sha256,
            "name": name,
            "revision": 1,
            "content": content,
            "size": len(content),
            "lines": content.count(b"\n"),
            "duration_s": 60.0,
            "findings": json.dumps([]),
            "added_at": NOW,
            "added_by": "anna",
            **values,
        }
        self.insert(schema.program, [row])
        return sha256
