"""Which jobs the API is asked for: filters, sort orders, bulk actions."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.web.api.job_values import ACTIONS
from cnc_station.web.api.job_words import HANDLER_ALIASES, STATES, states_named
from cnc_station.web.api.limits import (
    Count,
    Ids,
    Reason,
    Words,
    described,
    list_of,
    one_of,
    words_of,
)
from cnc_station.web.api.values import (
    Id,
    PageIn,
    PriorityIn,
    Taken,
    TakenJson,
    TimeIn,
)

_SORT_ALIASES = {
    "createdAt": "created",
    "created_at": "created",
    "updatedAt": "updated",
    "updated_at": "updated",
    "dueAt": "due",
    "due_at": "due",
}
_KEYS = one_of((*SortKey, *_SORT_ALIASES))
_States = Annotated[Words, described(list_of(one_of(STATES)))]


class JobFilterIn(Taken):
    """Which jobs; what is not given does not narrow. Several values stand in one, with commas
    between them. `status` takes states too, and the other way round. A `_since` is included, an
    `_until` and a `_before` are not."""

    ids: Annotated[Words, described(list_of("[0-9]{1,18}"))] = ""
    status: _States = ""
    state: _States = ""
    machine_id: Id | None = None
    machine_type: Words = ""
    handler: Words = ""
    priority: PriorityIn | None = None
    min_priority: Annotated[int, Field(ge=0, le=100)] | None = None
    max_priority: Annotated[int, Field(ge=0, le=100)] | None = None
    tenant: str | None = None
    owner: str | None = None
    work_order: str | None = None
    program: str | None = None
    external_id: str | None = None
    late: bool = False
    due_before: TimeIn | None = None
    created_since: TimeIn | None = None
    created_until: TimeIn | None = None
    finished_since: TimeIn | None = None
    finished_until: TimeIn | None = None
    q: str = ""

    ALIASES: ClassVar = {
        "tenantId": "tenant",
        "required_machine_type": "machine_type",
        "type": "handler",
    }

    def chosen(self) -> JobFilter:
        """The filter. Raises InvalidInput."""
        return JobFilter(
            ids=_ids(self.ids),
            states=self._states(),
            machine_types=frozenset(words_of(self.machine_type.lower())),
            handlers=frozenset(HANDLER_ALIASES.get(one, one) for one in words_of(self.handler)),
            machine_id=self.machine_id,
            tenant=self.tenant,
            owner=self.owner,
            external_id=self.external_id,
            min_priority=self.min_priority if self.priority is None else self.priority,
            max_priority=self.max_priority if self.priority is None else self.priority,
            work_order=self.work_order,
            program=self.program,
            late=self.late,
            due_before=self.due_before,
            created_since=self.created_since,
            created_until=self.created_until,
            finished_since=self.finished_since,
            finished_until=self.finished_until,
            text=self.q,
        )

    def _states(self) -> frozenset[JobState]:
        status, state = states_named(self.status, "status"), states_named(self.state, "state")
        if status and state and not status & state:
            raise InvalidInput(FieldError("state", f"is never {self.status}"))
        return status & state if status and state else status | state


class JobListIn(JobFilterIn, PageIn):
    """A page of a list. `sort`: `created:desc,priority`, or `-created`. `include`: `next`, the next
    step of each job or why it waits, which takes longer than all the rest."""

    sort: Annotated[Words, described(list_of(f"-?({_KEYS})(:(asc|desc)?)?"))] = ""
    include: Annotated[str, Field(pattern="^(next)?$")] = ""

    def order(self) -> tuple[Sort, ...]:
        """The sort order. Raises InvalidInput."""
        return tuple(map(_sort, words_of(self.sort)))


class ExportIn(JobFilterIn):
    """The form of the download: `csv` or `json`."""

    form: Annotated[str, Field(pattern="^(csv|json)$")] = "csv"


class BulkIn(TakenJson):
    """An action on jobs: those of `ids`, or all that match `filter`, whose number must be
    `expected_count`."""

    action: Annotated[str, described(one_of(ACTIONS))]
    ids: Ids | None = None
    filter: dict[str, Any] | None = None
    expected_count: Count | None = None
    reason: Reason = ""
    until: TimeIn | None = None
    machine_id: Id | None = None

    def chosen(self) -> JobFilter | None:
        """The filter, as that of a list; a list stands for words with commas. Raises
        InvalidInput."""
        if self.filter is None:
            return None
        if not self.filter:
            raise InvalidInput(FieldError("filter", "is empty: it would select every job"))
        return JobFilterIn.read(
            {name: _word(value) for name, value in self.filter.items()}
        ).chosen()


def _word(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _ids(text: str) -> frozenset[int]:
    words = words_of(text)
    if not all(word.isdecimal() and len(word) < 19 for word in words):
        raise InvalidInput(FieldError("ids", "must be numbers of jobs, with commas between them"))
    return frozenset(map(int, words))


def _sort(word: str) -> Sort:
    name, _, direction = word.removeprefix("-").partition(":")
    try:
        key = SortKey(_SORT_ALIASES.get(name, name))
    except ValueError:
        keys = ", ".join(SortKey)
        raise InvalidInput(FieldError("sort", f"{name!r} is not one of {keys}")) from None
    if direction not in {"", "asc", "desc"}:
        raise InvalidInput(FieldError("sort", "the direction must be asc or desc"))
    return Sort(key, word.startswith("-") or direction == "desc")
