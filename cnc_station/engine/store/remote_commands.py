"""Commands for another station: only the station of a machine can carry them out."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.states import LIVE_RUNS, MachineState
from cnc_station.engine.store.schema import machine, remote_command, run
from cnc_station.engine.store.transaction import OneByOne, Tx

KEPT_MS = 3_600_000
# A command that may start a machine expires before the person who asked stops waiting for it.
PROMPT_MS = 5_000
PROMPT = frozenset(
    {JobAction.START, JobAction.CONTINUE, MachineAction.UNLOCK, MachineAction.CONFIRM_POSITION}
)


@dataclass(frozen=True, slots=True)
class RemoteCommand:
    """A pending command about a job, or about a machine (`job_id` is then 0). `answer` is None
    until it is completed, "" if it was done, otherwise why it was not."""

    id: int
    station: str
    action: str
    job_id: int
    actor: str
    reason: str
    answer: str | None
    in_time: bool = True  # the run or the alarm that it was meant for is still there
    late: bool = False  # expired: it may start a machine
    machine_id: int | None = None


@dataclass(frozen=True, slots=True)
class AskStation(OneByOne[RemoteCommand]):
    """Send a command to the station that drives a job's run, or with `machine_id` to the station of
    that machine. Raises Conflict if there is none."""

    action: str
    job_id: int
    actor: str
    reason: str
    machine_id: int | None = None

    def write(self, tx: Tx) -> RemoteCommand:
        if self.machine_id is None:
            at = select(run.c.station).where(
                run.c.job_id == self.job_id, run.c.state.in_(sorted(LIVE_RUNS))
            )
            nowhere = f"Job {self.job_id} is not at a machine."
        else:
            at = select(machine.c.station).where(
                machine.c.id == self.machine_id, ~machine.c.removed
            )
            nowhere = f"There is no machine {self.machine_id}."
        station: str | None = tx.connection.execute(at).scalar()
        if station is None:
            raise Conflict(nowhere)
        tx.connection.execute(
            delete(remote_command).where(remote_command.c.asked_at < tx.now - KEPT_MS)
        )
        (command_id,) = tx.dialect.reserve(tx.connection, remote_command, 1)
        asked: dict[str, Any] = {
            "id": command_id,
            "station": station,
            "action": self.action,
            "job_id": self.job_id,
            "machine_id": self.machine_id,
            "actor": self.actor,
            "reason": self.reason,
        }
        tx.connection.execute(insert(remote_command).values(asked_at=tx.now, **asked))
        tx.notify(
            Topic.REMOTE_COMMAND_ASKED, job_id=self.job_id or None, machine_id=self.machine_id
        )
        return RemoteCommand(answer=None, **asked)


@dataclass(frozen=True, slots=True)
class CompleteRemoteCommand(OneByOne[None]):
    """Answer a command: "" if it was done, otherwise why it was not. The first answer stays."""

    command_id: int
    answer: str

    @property
    def touches(self) -> Sequence[Hashable]:
        return (("remote_command", self.command_id),)

    def write(self, tx: Tx) -> None:
        tx.connection.execute(
            update(remote_command)
            .where(remote_command.c.id == self.command_id, remote_command.c.answer.is_(None))
            .values(answer=self.answer)
        )
        tx.notify(Topic.REMOTE_COMMAND_COMPLETED)


def open_remote_commands(
    connection: Connection, now: int, station: str
) -> tuple[RemoteCommand, ...]:
    """The commands that this station has not answered by `now`, oldest first.

    After an absence some are about runs and alarms that are over: they must not end a new run of
    the same job, nor unlock a machine that was inspected since. A late start is marked too: the
    person who asked was told that the station does not answer, and may stand in the machine.
    """
    same_run = (
        select(run.c.id)
        .where(run.c.job_id == remote_command.c.job_id, run.c.station == station)
        .where(run.c.state.in_(sorted(LIVE_RUNS)), run.c.assigned_at <= remote_command.c.asked_at)
    )
    same_machine = (
        select(machine.c.id)
        .where(machine.c.id == remote_command.c.machine_id, machine.c.station == station)
        .where(
            (remote_command.c.action != MachineAction.UNLOCK.value)
            | (
                (machine.c.state == MachineState.ALARM.value)
                & (machine.c.state_since <= remote_command.c.asked_at)
            )
        )
    )
    found = connection.execute(
        select(remote_command, (same_run.exists() | same_machine.exists()).label("in_time"))
        .where(remote_command.c.station == station, remote_command.c.answer.is_(None))
        .order_by(remote_command.c.id)
    )
    return tuple(
        RemoteCommand(
            row.id,
            row.station,
            row.action,
            row.job_id,
            row.actor,
            row.reason,
            None,
            row.in_time,
            row.action in PROMPT and row.asked_at < now - PROMPT_MS,
            row.machine_id,
        )
        for row in found
    )


def answer_of(connection: Connection, command_id: int) -> str | None:
    """The answer of a command; None if it has none yet."""
    answer: str | None = connection.execute(
        select(remote_command.c.answer).where(remote_command.c.id == command_id)
    ).scalar()
    return answer
