"""The order of the queue as one number that never changes with the clock.

Every job's claim to be next grows at the same pace while it waits, so the order of two waiting
jobs never changes by waiting alone and need not be computed again: ageing costs nothing, and a
job of low priority is overtaken only by those queued within a bounded time after it.
"""

from dataclasses import dataclass

RUN_NOW = -1e15  # before every rank that a time can make, and still exact to the millisecond


@dataclass(frozen=True, slots=True)
class RankPolicy:
    """What one point of priority and a due date are worth, in waiting time."""

    point_s: float = 600.0
    due_pull_s: float = 4 * 3600.0

    def rank(self, queued_at: int, priority: int, due_at: int | None) -> float:
        """Lower is sooner. Milliseconds: time queued, less what priority is worth, pulled
        forward by up to `due_pull_s` as the due date (at the time of queueing) is nearer."""
        pull = 0.0
        if due_at is not None:
            slack_s = max(0.0, (due_at - queued_at) / 1000)
            pull = self.due_pull_s * self.due_pull_s / (self.due_pull_s + slack_s)
        return queued_at - priority * self.point_s * 1000 - pull * 1000
