"""What people add to the set-up of a program, and that the first part of a job was checked."""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.refusals import job_refusal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.attachment_tables import set_up_sheet
from cnc_station.engine.store.attachments import locked_program
from cnc_station.engine.store.schema import event, job
from cnc_station.engine.store.transaction import JobCommand, OneByOne, Tx


@dataclass(frozen=True, slots=True)
class EditSetUpSheet(OneByOne[None]):
    """Replace what people wrote for a program, for all revisions of its name; only if `version` is
    the present one, 0 before there is any. Raises Conflict."""

    sha256: str
    notes: str
    tools: Mapping[int, str]
    work_offsets: Mapping[str, str]
    first_part: bool
    version: int
    actor: str

    @property
    def touches(self) -> Sequence[Hashable]:
        return (("program", self.sha256),)

    def write(self, tx: Tx) -> None:
        name = locked_program(tx, self.sha256)
        own = set_up_sheet.c.program == name
        version = tx.connection.execute(select(set_up_sheet.c.version).where(own)).scalar() or 0
        if version != self.version:
            raise Conflict(
                f"The set-up sheet of {name} was changed by somebody else meanwhile. Open it again."
            )
        values = {
            "version": version + 1,
            "notes": self.notes,
            "tools": json.dumps({str(number): text for number, text in self.tools.items()}),
            "work_offsets": json.dumps(dict(self.work_offsets)),
            "first_part": self.first_part,
            "edited_at": tx.now,
            "edited_by": self.actor,
        }
        if version:
            tx.connection.execute(update(set_up_sheet).where(own).values(values))
        else:
            tx.connection.execute(insert(set_up_sheet).values(program=name, **values))
        tx.record(t.SET_UP_SHEET_CHANGED, actor=self.actor, reason=name)


@dataclass(frozen=True, slots=True)
class CheckFirstPart(JobCommand[None]):
    """Record that the first part of a job at a machine was checked; the second time in the same run
    changes nothing. Raises Conflict."""

    job_id: int
    actor: str
    reason: str = ""

    def write(self, tx: Tx) -> None:
        query = select(job).where(job.c.id == self.job_id).with_for_update()
        row = tx.connection.execute(query).one_or_none()
        if row is None:
            raise Conflict(f"There is no job {self.job_id}.")
        state = JobState(row.state)
        assert t.FIRST_PART_CHECKED.job is not None
        if state not in t.FIRST_PART_CHECKED.job.sources:
            raise Conflict(job_refusal(t.FIRST_PART_CHECKED, row.name, state))
        done = (event.c.job_id == row.id) & (event.c.type == t.FIRST_PART_CHECKED.name)
        again = select(event.c.id).where(done, event.c.run_id == row.run_id).limit(1)
        if tx.connection.execute(again).scalar() is None:
            tx.record(
                t.FIRST_PART_CHECKED,
                actor=self.actor,
                job_id=row.id,
                run_id=row.run_id,
                machine_id=row.machine_id,
                job_state=state,
                trace_id=row.trace_id,
                reason=self.reason,
                tenant=row.tenant,
            )
