"""When to retry a failed job."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff: min(initial · 2^failures, maximum) seconds, plus up to `jitter` of it.

    The jitter prevents jobs that failed together from retrying together.
    """

    initial_s: float = 10.0
    maximum_s: float = 300.0
    jitter: float = 0.1
    machining_limit: int = 2
    automation_limit: int = 3

    def limit(self, own: int | None, *, automation: bool) -> int:
        """Return the maximum retries of a job: its own limit, or the default of its kind."""
        if own is not None:
            return own
        return self.automation_limit if automation else self.machining_limit

    def backoff_s(self, failures: int, chance: float) -> float:
        """Return the wait in s after the `failures`-th failure (from 1); `chance` is in [0, 1)."""
        doubled = self.initial_s * 2.0 ** min(failures - 1, 60)
        base = min(doubled, self.maximum_s)
        return base + base * self.jitter * chance
