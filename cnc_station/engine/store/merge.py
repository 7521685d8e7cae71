"""Import the jobs of a table again: create the new ones, edit those that have not started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Text, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.job import JobSpec, check_keys
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.edits import edit_row, spec_of
from cnc_station.engine.store.import_mappings import remember_mapping
from cnc_station.engine.store.jobs import CreateJobs, check_references
from cnc_station.engine.store.schema import job, named
from cnc_station.engine.store.transaction import OneByOne, Tx

_AT_ONCE = 5_000  # external ids
Stored = Mapping[tuple[str, str], Row[Any]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a table states of a stored job: the fields that differ. `kept` is why it is left as it
    is."""

    job_id: int
    before: JobSpec
    changes: Mapping[str, Any]
    kept: str = ""


@dataclass(frozen=True, slots=True)
class MergeJobs(OneByOne[tuple[int, ...]]):
    """Store the validated specs of a table, all or none, and the mapping of its columns. A spec
    whose external id a job of its tenant has changes that job in `fields`, unless it has started or
    ended. Returns the ids of all jobs, stored ones and new ones, in the order of the specs.

    Raises InvalidInput if a spec refers to something that does not exist.
    """

    specs: tuple[JobSpec, ...]
    fields: frozenset[str]
    actor: str
    trace_id: str = ""
    fingerprint: str = ""
    mapping: Mapping[str, str] | None = None

    def write(self, tx: Tx) -> tuple[int, ...]:
        check_keys(self.specs)
        check_references(tx, self.specs)
        tx.flush()
        stored = stored_jobs(tx.connection, tx.dialect, self.specs, lock=True)
        ids = self._create(tx, stored)
        for spec in self.specs:
            row = stored.get(_own(spec))
            if row is None:
                continue
            found = difference(row, spec, self.fields)
            if found.changes and not found.kept:
                edit_row(tx, row, found.changes, self.actor)
        if self.mapping is not None:
            tx.flush()
            remember_mapping(tx.connection, self.fingerprint, self.mapping, tx.now)
        return ids

    def _create(self, tx: Tx, stored: Stored) -> tuple[int, ...]:
        """Create the jobs that are not stored. Those they wait for may be stored ones."""
        known = {s.key: stored[_own(s)].id for s in self.specs if s.key and _own(s) in stored}
        new = tuple(_after(spec, known) for spec in self.specs if _own(spec) not in stored)
        created: tuple[int, ...] = ()
        if new:
            (answer,) = CreateJobs.apply(tx, [CreateJobs(new, self.actor, trace_id=self.trace_id)])
            if isinstance(answer, Exception):
                raise answer
            created = answer
        ids = iter(created)
        return tuple(
            stored[own].id if (own := _own(spec)) in stored else next(ids) for spec in self.specs
        )


def _own(spec: JobSpec) -> tuple[str, str]:
    return (spec.tenant, spec.external_id)


def _after(spec: JobSpec, known: Mapping[str, int]) -> JobSpec:
    if known.keys().isdisjoint(spec.after_keys):
        return spec
    ids = tuple(known[key] for key in spec.after_keys if key in known)
    keys = tuple(key for key in spec.after_keys if key not in known)
    return replace(spec, after=(*spec.after, *ids), after_keys=keys)


def stored_jobs(
    connection: Connection, dialect: Dialect, specs: Sequence[JobSpec], *, lock: bool = False
) -> Stored:
    """Return the jobs that have an external id of these specs, by tenant and id."""
    wanted = [[spec.tenant, spec.external_id] for spec in specs if spec.external_id]
    item = dialect.items("item", tenant=Text, external_id=Text)
    query = select(job).join(
        item, (job.c.external_id == item.c.external_id) & (job.c.tenant == item.c.tenant)
    )
    query = query.where(named(job.c.external_id))
    if lock:
        query = query.with_for_update(of=job)
    found: dict[tuple[str, str], Row[Any]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = {"item": packed(wanted[start : start + _AT_ONCE])}
        for row in connection.execute(query, part):
            found[(row.tenant, row.external_id)] = row
    return found


def difference(row: Row[Any], spec: JobSpec, fields: frozenset[str]) -> Difference:
    """Return what a spec changes of a stored job in these fields."""
    before = spec_of(row)
    changes = {
        name: getattr(spec, name)
        for name in sorted(fields)
        if hasattr(spec, name) and getattr(spec, name) != getattr(before, name)
    }
    if spec.not_before is None and "not_before" in changes:
        del changes["not_before"]  # a stored job has the time at which it was created
    return Difference(row.id, before, changes, _kept(row) if changes else "")


def _kept(row: Row[Any]) -> str:
    """Return why a job is not changed by an import; "" for one that has not started."""
    assert t.EDITED.job is not None
    state = JobState(row.state)
    if state not in t.EDITED.job.sources:
        return f"is {state.value.replace('_', ' ')}"
    return "has been started" if row.attempt else ""
