"""Programs are stored by content: the same bytes are one row under any name."""

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.store.schema import doubtful_program, program
from cnc_station.engine.store.transaction import OneByOne, Tx


@dataclass(frozen=True, slots=True)
class KeptProgram:
    """A checked program, ready to be stored. `findings`: (line, severity, message).
    `doubtful`: its time is not certain."""

    sha256: str
    name: str
    content: bytes
    lines: int
    duration_s: float
    findings: tuple[tuple[int, str, str], ...]
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class AddProgram(OneByOne[tuple[str, bool]]):
    """Store a program; new bytes under a known name become its next revision. Returns the SHA-256,
    and whether these bytes were not stored before."""

    kept: KeptProgram
    actor: str

    @property
    def touches(self) -> Sequence[Hashable]:
        return (("program", self.kept.sha256), ("program name", self.kept.name))

    def write(self, tx: Tx) -> tuple[str, bool]:
        return self.kept.sha256, _add(tx, self)


def _add(tx: Tx, change: AddProgram) -> bool:
    kept = change.kept
    there = select(program.c.sha256).where(program.c.sha256 == kept.sha256)
    if tx.connection.execute(there).scalar() is not None:
        return False
    newest = select(func.max(program.c.revision)).where(program.c.name == kept.name)
    tx.connection.execute(
        insert(program).values(
            sha256=kept.sha256,
            name=kept.name,
            revision=(tx.connection.execute(newest).scalar() or 0) + 1,
            content=kept.content,
            size=len(kept.content),
            lines=kept.lines,
            duration_s=kept.duration_s,
            findings=json.dumps(kept.findings),
            added_at=tx.now,
            added_by=change.actor,
        )
    )
    if kept.doubtful:
        tx.connection.execute(insert(doubtful_program).values(sha256=kept.sha256))
    tx.record(t.PROGRAM_ADDED, actor=change.actor, reason=kept.name)
    return True


def named_content(connection: Connection, sha256: str) -> tuple[str, bytes] | None:
    """The name and the exact bytes of a stored program."""
    query = select(program.c.name, program.c.content).where(program.c.sha256 == sha256)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.name, row.content)


def content(connection: Connection, sha256: str) -> bytes | None:
    """The exact bytes of a stored program."""
    query = select(program.c.content).where(program.c.sha256 == sha256)
    found: bytes | None = connection.execute(query).scalar()
    return found
