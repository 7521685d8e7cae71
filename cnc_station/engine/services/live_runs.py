"""The runs that a station has in hand: which they are, and until when it may act on them."""

import asyncio
import contextlib
from collections.abc import Iterable

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.services.live import Live
from cnc_station.engine.views import RunInHand, Telemetry


class LiveRuns:
    """By run. One whose lease was lost stays until its machine has stopped."""

    def __init__(self) -> None:
        self._live: dict[int, Live] = {}
        self._came = asyncio.Event()  # set once, with the next that comes

    def _of(self, job_id: int) -> Live:
        for live in self._live.values():
            if live.claimed.job_id == job_id and not live.lost:
                return live
        raise Conflict(f"Job {job_id} is not at a machine any more.")

    @property
    def busy(self) -> bool:
        """Whether any run is in hand."""
        return bool(self._live)

    def drives(self, job_id: int) -> bool:
        """Whether a job is at a machine of this station."""
        return any(live.claimed.job_id == job_id and not live.lost for live in self._live.values())

    async def comes(self, job_id: int, patience_s: float) -> None:
        """Wait until a job is at a machine of this station, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not self.drives(job_id):
                    await self._came.wait()

    def _keep_in_hand(self, live: Live) -> None:
        self._live[live.claimed.run_id] = live
        self._came.set()
        self._came = asyncio.Event()

    def run_ids(self) -> tuple[int, ...]:
        """The runs it drives and may drive."""
        return tuple(live.claimed.run_id for live in self._live.values() if not live.lost)

    async def are_over(self, machine_id: int, patience_s: float) -> bool:
        """Whether no run that it drives is left at a machine, and its end is written; one that
        ends just now is waited for."""
        tasks = [
            live.task
            for live in self._live.values()
            if live.claimed.machine_id == machine_id and not live.lost and live.task is not None
        ]
        if not tasks:
            return True
        _, going_on = await asyncio.wait(tasks, timeout=patience_s)
        return not going_on

    def shown(self) -> tuple[RunInHand, ...]:
        """The runs it drives, those whose lease was lost included, in the order of their claims."""
        return tuple(
            RunInHand(
                live.claimed.machine_id, live.claimed.job_id, live.claimed.name, live.at_closing
            )
            for live in self._live.values()
        )

    def in_hand(self) -> frozenset[int]:
        """The runs it drives, those whose lease was lost included."""
        return frozenset(self._live)

    def machines(self) -> frozenset[int]:
        """The machines it still drives, those whose lease was lost included."""
        return frozenset(live.claimed.machine_id for live in self._live.values())

    def lost_machines(self) -> frozenset[int]:
        """Those that may still move for a run that is no longer this station's."""
        return frozenset(live.claimed.machine_id for live in self._live.values() if live.lost)

    def keep_leases(self, run_ids: Iterable[int], lease_ends: float) -> None:
        """These may be acted on until `lease_ends`."""
        kept = frozenset(run_ids)
        for live in self._live.values():
            if live.claimed.run_id in kept:
                live.lease_ends = max(lease_ends, live.lease_ends)

    def shortest_lease(self, now: float) -> float:
        """Seconds until the first of them ends."""
        ends = (live.lease_ends for live in self._live.values() if not live.lost)
        return max(0.0, min(ends, default=float("inf")) - now)

    def telemetry(self) -> dict[int, Telemetry]:
        """The latest of every machine at work."""
        return {
            live.claimed.machine_id: live.progress.telemetry(live.driver.status(), live.part)
            for live in self._live.values()
            if live.progress is not None and live.begun
        }
