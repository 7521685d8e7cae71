"""The active runs of a station."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.drivers.base import RunInspection
from cnc_station.engine.handlers.output import Output
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.metrics import StationMetrics
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import RUNNER, Judge, move_of
from cnc_station.engine.services.run_session import CLOSED, RunSession
from cnc_station.engine.services.worker_slots import Executor, RunRecord, WorkerSlots
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.views import RunInHand, RunOutput, Telemetry

PATIENCE_S = 5.0


class ActiveRuns:
    """One session for each run. One whose lease was lost stays until its machine has stopped."""

    def __init__(
        self,
        writer: RetryingWriter,
        library: Library,
        pool: DriverPool,
        slots: WorkerSlots,
        judge: Judge,
        metrics: StationMetrics,
    ) -> None:
        self._writer = writer
        self._library = library
        self._pool = pool
        self._slots = slots
        self._judge = judge
        self._metrics = metrics
        self._sessions: dict[int, RunSession] = {}
        self._came = asyncio.Event()  # set with the next run that is taken
        self._giving_back: set[asyncio.Task[object]] = set()

    # Start and end

    def take(self, claimed: Claimed, lease_ends: float = float("inf")) -> None:
        """Begin to drive a claimed run, until `lease_ends` (the loop's clock) or `keep_leases`."""
        if claimed.machine_id is None or claimed.machine_id in self._pool.drivers:
            self._begin(claimed, lease_ends)
            return
        task = asyncio.create_task(self._give_back(claimed, claimed.machine_id))
        self._giving_back.add(task)
        task.add_done_callback(self._giving_back.discard)

    def reattach(self, claimed: Claimed, lease_ends: float, found: RunInspection) -> None:
        """Continue a run that an earlier life of this station started. That it is reattached is
        already written."""
        self._begin(claimed, lease_ends, found)

    def _begin(
        self, claimed: Claimed, lease_ends: float, found: RunInspection | None = None
    ) -> None:
        previous: Sequence[RunSession] = ()
        if claimed.attempt > 1:
            previous = [one for one in self.sessions if one.claimed.job_id == claimed.job_id]
        record: RunRecord | None = None
        executor: Executor
        if claimed.machine_id is None:
            executor = self._slots.lease(claimed.handler)
            record = executor.record
        else:
            executor = self._pool.lease(claimed.machine_id)
        session = RunSession(
            self._writer,
            self._library,
            self._judge,
            claimed,
            executor,
            lease_ends,
            previous=previous,
            found=found,
            record=record,
        )
        self._sessions[claimed.run_id] = session
        self._metrics.taken(claimed, reattached=found is not None)
        session.task.add_done_callback(lambda _: self._forget(session))
        self._came.set()
        self._came = asyncio.Event()

    def _forget(self, session: RunSession) -> None:
        del self._sessions[session.claimed.run_id]
        self._metrics.dropped(session.claimed.run_id)
        if session.claimed.machine_id is None:
            self._slots.release()
            return
        refused = session.ending is not None and session.ending.refused
        self._pool.release(session.claimed.machine_id, refused=refused)

    async def give_back(self, claimed: Iterable[Claimed]) -> None:
        """Return runs that were claimed while the station was being closed. Raises Unavailable."""
        returned = [move_of(one, _back(one), reason=CLOSED) for one in claimed]
        await asyncio.gather(*map(self._writer.write, returned))

    async def _give_back(self, claimed: Claimed, machine_id: int) -> None:
        """Return a run whose machine has no driver, and take the machine offline. Written together,
        so that no claim comes in between."""
        reason = "its driver is not there"
        await asyncio.gather(
            self._writer.write_until_committed(move_of(claimed, _back(claimed), reason=reason)),
            self._writer.write_until_committed(
                MoveMachine((t.DISCONNECTED,), machine_id, RUNNER, reason)
            ),
            return_exceptions=True,
        )

    async def stop(self) -> None:
        """Abandon the runs that go on without the station, end the others and write how they ended.
        What can't be written within `PATIENCE_S` is left to the recovery at the next start."""
        sessions = self.sessions
        for session in sessions:
            session.close()
        await asyncio.gather(*(session.stopped() for session in sessions))
        if not sessions:
            return
        _, unwritten = await asyncio.wait([one.task for one in sessions], timeout=PATIENCE_S)
        for task in unwritten:
            task.cancel()
        await asyncio.gather(*(one.task for one in sessions), return_exceptions=True)

    # Leases

    def let_go(self, now: float) -> None:
        """Stop acting on the runs whose lease has ended: another station may take over."""
        for session in self._ours():
            if session.lease_ends <= now:
                session.lose_lease()

    async def take_back(self, lease_s: float) -> None:
        """Continue the runs whose lease was lost and that still cut, unless another station has
        decided about them."""
        for session in self.sessions:
            if session.may_be_taken_back:
                await session.take_back(lease_s)

    def keep_leases(self, run_ids: Iterable[int], lease_ends: float) -> None:
        for run_id in run_ids:
            if (session := self._sessions.get(run_id)) is not None:
                session.extend_lease(lease_ends)

    def shortest_lease(self, now: float) -> float:
        ends = (session.lease_ends for session in self._ours())
        return max(0.0, min(ends, default=float("inf")) - now)

    # Queries

    @property
    def sessions(self) -> Sequence[RunSession]:
        """All sessions in the order of their claims, also those whose lease was lost."""
        return tuple(self._sessions.values())

    def _ours(self) -> Sequence[RunSession]:
        return [session for session in self._sessions.values() if not session.is_lost]

    def session_of(self, job_id: int) -> RunSession:
        """Return the run of a job at a machine of this station. Raises Conflict."""
        for session in self._ours():
            if session.claimed.job_id == job_id:
                return session
        raise Conflict(f"Job {job_id} is not at a machine any more.")

    def drives(self, job_id: int) -> bool:
        """Whether a job is at a machine of this station."""
        return any(session.claimed.job_id == job_id for session in self._ours())

    async def comes(self, job_id: int, patience_s: float) -> None:
        """Wait until a job is at a machine of this station, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not self.drives(job_id):
                    await self._came.wait()

    async def are_over(self, machine_id: int, patience_s: float) -> bool:
        """Whether no run is left at a machine and its end is written. Waits for one that ends."""
        at_it = [one.task for one in self._ours() if one.claimed.machine_id == machine_id]
        if not at_it:
            return True
        _, pending = await asyncio.wait(at_it, timeout=patience_s)
        return not pending

    @property
    def busy(self) -> bool:
        return bool(self._sessions)

    def run_ids(self) -> tuple[int, ...]:
        """The runs whose leases this station has."""
        return tuple(session.claimed.run_id for session in self._ours())

    def in_hand(self) -> frozenset[int]:
        """All active runs, also those whose lease was lost."""
        return frozenset(self._sessions)

    def machines(self) -> frozenset[int]:
        """The machines of all active runs, also of those whose lease was lost."""
        return _machines(self._sessions.values())

    def begins_with_claim(self) -> frozenset[int]:
        drivers = self._pool.drivers.items()
        return frozenset(
            machine_id for machine_id, one in drivers if one.abilities.begins_with_claim
        )

    def lost_machines(self) -> frozenset[int]:
        """The machines that may still move for a run whose lease was lost."""
        return _machines(session for session in self._sessions.values() if session.is_lost)

    def shown(self) -> tuple[RunInHand, ...]:
        """All active runs in the order of their claims, also those whose lease was lost."""
        return tuple(
            RunInHand(
                one.claimed.machine_id,
                one.claimed.job_id,
                one.claimed.name,
                one.at_closing,
                one.claimed.handler,
            )
            for one in self._sessions.values()
        )

    def output(self, run_id: int) -> RunOutput | None:
        """What the handler of an active run has printed so far."""
        session = self._sessions.get(run_id)
        return None if session is None else session.output()

    def printed(self) -> dict[tuple[int, int], Output]:
        """What the handlers of the active runs print, by run and token."""
        return {
            (one.claimed.run_id, one.claimed.token): one.printed
            for one in self._ours()
            if one.printed is not None
        }

    def telemetry(self) -> dict[int, Telemetry]:
        told = ((one.claimed.machine_id, one.telemetry()) for one in self._sessions.values())
        return {
            machine_id: telemetry
            for machine_id, telemetry in told
            if machine_id is not None and telemetry is not None
        }


def _machines(sessions: Iterable[RunSession]) -> frozenset[int]:
    return frozenset(
        machine_id for session in sessions if (machine_id := session.claimed.machine_id) is not None
    )


def _back(claimed: Claimed) -> t.Transition:
    return t.REQUEUED if claimed.begun else t.RETURNED
