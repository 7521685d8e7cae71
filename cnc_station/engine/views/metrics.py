"""Metrics: the text that Prometheus reads, and the same figures from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Exposition:
    """All metrics of a station as text."""

    content: bytes
    media_type: str


class ExecutionGroup(StrEnum):
    """What the statistics of runs are grouped by."""

    HANDLER = "handler"
    MACHINE = "machine"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Executions:
    """Runs that ended in a span of time. The rates are percent of the runs that succeeded or
    failed, None if there was none. The times are those of the runs that succeeded, in seconds, to
    three digits."""

    name: str
    runs: int
    succeeded: int
    failed: int
    cancelled: int
    success_rate: float | None
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class ExecutionStats:
    """Statistics of the runs that ended from `since` until `until`, together and by group."""

    since: int
    until: int
    all: Executions
    groups: Sequence[Executions]


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """The jobs in the database by status, and what became of the runs that ended from `since`
    until `until`: `retries` are those that were not the first of their job. `limit_hits` are the
    requests that this station has refused by a limit since its start."""

    since: int
    until: int
    total: int
    pending: int
    running: int
    completed: int
    failed: int
    retries: int
    dlq: int
    success_rate: float | None
    failure_rate: float | None
    limit_hits: int
