"""Edit the spec of a job that is not at a machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, select, update

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.job import EDITABLE, JobSpec
from cnc_station.engine.domain.refusals import job_refusal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.text_gate import tidy, visible
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.claims import envelope
from cnc_station.engine.store.jobs import check_references, refusing_taken_names, stored_fields
from cnc_station.engine.store.queue_actions import ActOnJob
from cnc_station.engine.store.schema import job
from cnc_station.engine.store.transaction import JobCommand, Tx

_UNTOLD = frozenset(("payload", "envelope"))
_REFERENCES = frozenset(("program", "pinned_machine_id"))


@dataclass(frozen=True, slots=True)
class EditJob(JobCommand[None]):
    """Set fields of a job; with `version`, only if nobody changed it since. With `retry`, retry it
    as well.

    Raises Conflict if the job may not be edited or retried now, or another one has its external id,
    InvalidInput for bad values.
    """

    job_id: int
    changes: Mapping[str, Any]
    actor: str
    version: int | None = None
    retry: bool = False

    def write(self, tx: Tx) -> None:
        row = self._checked(tx)
        if self.changes or not self.retry:
            edit_row(tx, row, self.changes, self.actor)
        if self.retry:
            (answer,) = ActOnJob.apply(tx, [ActOnJob(t.RETRIED, self.job_id, self.actor)])
            assert not isinstance(answer, Exception)  # its state was checked, and it is locked

    def _checked(self, tx: Tx) -> Row[Any]:
        """Lock the job, and check what does not depend on the values."""
        if unknown := self.changes.keys() - EDITABLE:
            raise InvalidInput(*(FieldError(name, "can't be edited") for name in sorted(unknown)))
        row = tx.connection.execute(
            select(job).where(job.c.id == self.job_id).with_for_update()
        ).one_or_none()
        if row is None:
            raise Conflict(f"There is no job {self.job_id}.")
        assert t.EDITED.job is not None
        state = JobState(row.state)
        if state not in t.EDITED.job.sources:
            raise Conflict(job_refusal(t.EDITED, row.name, state))
        if self.version not in (None, row.version):
            raise Conflict(f"{row.name} was changed by somebody else meanwhile. Open it again.")
        assert t.RETRIED.job is not None
        if self.retry and state not in t.RETRIED.job.sources:
            raise Conflict(job_refusal(t.RETRIED, row.name, state))
        return row


def edit_row(tx: Tx, row: Row[Any], changes: Mapping[str, Any], actor: str) -> None:
    """Set fields of a job that is locked and may be edited now."""
    state = JobState(row.state)
    before = spec_of(row)
    after, values = _edited(before, changes)
    if not changes.keys().isdisjoint(_REFERENCES):
        check_references(tx, [after])
    if (after.priority, after.due_at) != (before.priority, before.due_at):
        values["rank"] = tx.ranking.rank(row.created_at, after.priority, after.due_at)
    postponed, due = False, None
    if after.not_before != before.not_before:
        due = tx.now if after.not_before is None else after.not_before
        postponed = state is JobState.QUEUED and due > tx.now
        values["not_before"] = due
    if postponed:  # a queued job could be claimed now
        values |= {"state": JobState.DELAYED.value, "state_since": tx.now}
    values |= {"version": job.c.version + 1, "edited_at": tx.now}
    change = update(job).where(job.c.id == row.id).values(**values)
    if after.external_id and _name(after) != _name(before):
        with refusing_taken_names(tx, (after,)):
            tx.connection.execute(change)
    else:
        tx.connection.execute(change)
    claimable = state is JobState.QUEUED and not postponed
    changed = {name for name in changes if getattr(after, name) != getattr(before, name)}
    tx.record(
        t.EDITED,
        actor=actor,
        job_id=row.id,
        job_state=state,
        trace_id=row.trace_id,
        reason=", ".join(sorted(changed)),
        details=before_after(_told(before, changed), _told(after, changed)),
        tenant=after.tenant,
        machine_type=after.machine_type if claimable else None,
        due_at=due,
    )
    if postponed:
        tx.record(
            t.POSTPONED,
            actor=actor,
            job_id=row.id,
            job_state=JobState.DELAYED,
            trace_id=row.trace_id,
            tenant=after.tenant,
            due_at=due,
        )


def _told(spec: JobSpec, changed: Iterable[str]) -> Mapping[str, Any]:
    """What the history tells of fields: not what is long or has a form of its own."""
    return {name: getattr(spec, name) for name in sorted(set(changed) - _UNTOLD)}


def _name(spec: JobSpec) -> tuple[str, str]:
    return (spec.tenant, spec.external_id)


def _edited(before: JobSpec, changes: Mapping[str, Any]) -> tuple[JobSpec, dict[str, Any]]:
    """Return the edited spec, checked, and what to store of it. A payload that is not edited stays
    as it is, whatever an earlier version accepted."""
    after = replace(before, **changes)
    if "payload" in changes:
        after = after.validated()
        return after, stored_fields(after)
    after = replace(replace(after, payload={}).validated(), payload=before.payload)
    values = stored_fields(after)
    del values["payload"]
    return after, values


def spec_of(row: Row[Any]) -> JobSpec:
    """The spec stored in a job row, to edit or duplicate it. What an earlier version stored in its
    texts and `JobSpec` refuses today is made visible."""
    return JobSpec(
        **{name: _as_spec(name, getattr(row, name)) for name in EDITABLE - {"payload", "envelope"}},
        payload=json_text.stored_object(row.payload),
        envelope=envelope(row),
    )


def _as_spec(name: str, value: Any) -> Any:
    if isinstance(value, str) and name in JobSpec.TEXTS:
        rule = JobSpec.TEXTS[name]
        return visible(tidy(value, lines=rule.lines), rule.most, lines=rule.lines)
    return value
