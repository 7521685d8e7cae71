"""The words for jobs that clients may say: states, statuses, and names of other systems."""

from collections.abc import Mapping

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import HANDLER
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import JobStatus, status_of
from cnc_station.web.api.limits import one_of, words_of

JOB_ALIASES: Mapping[str, str] = {
    "required_machine_type": "machine_type",
    "estimated_runtime": "estimated_s",
    "taskName": "name",
    "tenantId": "tenant",
    "type": "handler",
    "max_retries": "retry_limit",
}
# Handlers by the names that other systems have for them.
HANDLER_ALIASES: Mapping[str, str] = {"sleep": "test.delay", "echo": "test.echo"}
# A state or a status: the states that it means.
STATES: Mapping[str, frozenset[JobState]] = {
    **{str(state): frozenset({state}) for state in JobState},
    **{
        str(status): frozenset(state for state in JobState if status_of(state) is status)
        for status in JobStatus
    },
}
HANDLERS = one_of((*HANDLER_ALIASES, HANDLER.pattern))


def states_named(text: str, field: str) -> frozenset[JobState]:
    """Return the states that these words name, states or statuses. Raises InvalidInput."""
    chosen: frozenset[JobState] = frozenset()
    for word in words_of(text.lower()):
        if word not in STATES:
            raise InvalidInput(FieldError(field, f"must be one of {', '.join(STATES)}"))
        chosen |= STATES[word]
    return chosen
