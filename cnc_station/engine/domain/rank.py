"""The order of the queue as one number that does not change with time.

The priority of all waiting jobs grows at the same rate, so the order of two waiting jobs never
changes by waiting alone and need not be recomputed. A job of low priority is overtaken only by jobs
queued within a bounded time after it.
"""

from dataclasses import dataclass

RUN_NOW = -1e15  # before every rank that a time can give, and still exact to the millisecond


@dataclass(frozen=True, slots=True)
class RankPolicy:
    """The waiting time that one point of priority and a due date are worth."""

    point_s: float = 600.0
    due_pull_s: float = 4 * 3600.0

    def rank(self, queued_at: int, priority: int, due_at: int | None) -> float:
        """Return the rank in ms; lower is sooner.

        It is the time queued, less the worth of the priority, less up to `due_pull_s` as the due
        date is nearer (at the time of queueing).
        """
        pull = 0.0
        if due_at is not None:
            slack_s = max(0.0, (due_at - queued_at) / 1000)
            pull = self.due_pull_s * self.due_pull_s / (self.due_pull_s + slack_s)
        return queued_at - priority * self.point_s * 1000 - pull * 1000
