"""One active run: a task from its claim to its written end, an inbox, and a phase.

`run_phase` has the table of what may come when. What the machine did is written again and again
until it is written. A session that has lost the right to write stops acting.
"""

import asyncio
import logging
from collections.abc import Collection

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced, Unavailable
from cnc_station.engine.drivers.base import OnLoss, RunAborted, RunFailed, RunInspection
from cnc_station.engine.handlers.output import Output
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.progress import Progress
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import Judge, RunEnding, move_of, write_ending
from cnc_station.engine.services.run_inbox import OperatorPrompt, OperatorReply
from cnc_station.engine.services.run_phase import (
    NOT_BEGUN,
    OUT_OF_HAND,
    Ask,
    Phase,
    RunMessage,
)
from cnc_station.engine.services.run_state import RunState
from cnc_station.engine.services.run_steps import RunSteps
from cnc_station.engine.services.worker_slots import Executor, RunRecord
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.views import AtClosing, RunOutput, Telemetry
from cnc_station.logs.lines import current_run

log = logging.getLogger(__name__)

WRITING_S = 60.0  # the lease of a run that has ended, to write its end
CLOSED = "the station was closed while it ran"
TAKEN_BACK = "it went on while the station was not heard of"
_TOO_LATE = {
    t.ABORTED: "had ended before it was aborted.",
    t.DEFERRED: "had ended before it was put aside.",
}
_WHEN_CLOSED = {
    AtClosing.RETURNED: t.RETURNED,
    AtClosing.BEGINS_AGAIN: t.REQUEUED,
    AtClosing.ABORTED: t.INTERRUPTED,
}


class RunSession:
    """Drives one run, and acts until `lease_ends` (the loop's clock).

    It begins when the `previous` runs of its job have stopped here. `found` is what became of a run
    that an earlier life of this station started. `ending` is how it ended; None before that, and if
    another station has decided about it. `record` gathers what remains of a handler's work.
    """

    def __init__(
        self,
        writer: RetryingWriter,
        library: Library,
        judge: Judge,
        claimed: Claimed,
        executor: Executor,
        lease_ends: float,
        *,
        previous: Collection["RunSession"] = (),
        found: RunInspection | None = None,
        record: RunRecord | None = None,
    ) -> None:
        self.claimed = claimed
        self.ending: RunEnding | None = None
        self._writer = writer
        self._library = library
        self._judge = judge
        self._executor = executor
        self._previous = previous
        self._found = found
        self._record = record
        self._progress: Progress | None = None
        self._reattaching = asyncio.Lock()
        first = Phase.RUNNING if found else Phase.STARTING if claimed.begun else Phase.PREPARING
        self._state = RunState(writer, claimed, executor, lease_ends, first)
        if found:
            self._state.part = found.part
        if claimed.operator_starts or not executor.abilities.starts:
            self._state.prompts.prompt(OperatorPrompt.SET_UP)
        self.task = asyncio.create_task(self._run_session(), name=f"run {claimed.run_id}")

    @property
    def phase(self) -> Phase:
        return self._state.phase

    @property
    def part(self) -> int:
        return self._state.part

    @property
    def is_lost(self) -> bool:
        """Whether its lease has ended, while its machine may still move."""
        return self._state.phase is Phase.LOST

    @property
    def at_closing(self) -> AtClosing:
        """What becomes of it if the station is closed now."""
        if self.phase in NOT_BEGUN:
            return AtClosing.BEGINS_AGAIN if self.claimed.begun else AtClosing.RETURNED
        if self._executor.abilities.outlives and self.phase is not Phase.STARTING:
            return AtClosing.GOES_ON
        untouched = self.phase is Phase.STARTING and self._executor.abilities.starts
        harmless = untouched or self._executor.on_loss is OnLoss.RETRY
        return AtClosing.BEGINS_AGAIN if harmless else AtClosing.ABORTED

    def output(self) -> RunOutput | None:
        """What a handler has printed so far."""
        return None if self._record is None else self._record.output.kept()

    @property
    def printed(self) -> Output | None:
        """The output of a handler, which grows."""
        return None if self._record is None else self._record.output

    def telemetry(self) -> Telemetry | None:
        """How far it is; None before it has begun."""
        if self._progress is None or self._state.phase in NOT_BEGUN:
            return None
        return self._progress.telemetry(self._executor.status(), self._state.part)

    # The inbox

    async def ask(self, message: RunMessage) -> None:
        """Do what a person asks, and return when it is done and written. Raises Conflict with what
        forbids it, Unavailable if the controller does not answer."""
        state, actor, reason = self._state, message.actor, message.reason
        name = f"Job {self.claimed.job_id}"
        if self.phase in OUT_OF_HAND:
            raise Conflict(state.gone)
        match message.ask:
            case Ask.HOLD | Ask.RESUME if self.phase in NOT_BEGUN:
                raise Conflict(f"{name} is not running.")
            case Ask.HOLD:
                await state.inbox.put(lambda: state.hold(actor, reason))
            case Ask.RESUME:
                await state.inbox.put(lambda: state.resume(actor))
            case Ask.ABORT:
                await self._stop(RunEnding(t.ABORTED, reason, actor))
            case Ask.DEFER if state.begun:
                raise Conflict(f"{name} has begun: it can only be aborted.")
            case Ask.DEFER:
                await self._stop(RunEnding(t.DEFERRED, reason, actor))
            case Ask.CONFIRM | Ask.FINISH:
                is_start = message.ask is Ask.CONFIRM
                prompt = OperatorPrompt.SET_UP if is_start else OperatorPrompt.END
                if not state.prompts.reply(prompt, OperatorReply(actor, reason)):
                    raise Conflict(f"{name} does not wait for that.")

    async def _stop(self, wanted: RunEnding) -> None:
        """End the run, and return when that is written. Later callers wait for the same end."""
        self._state.ask_to_end(wanted)
        if error := await self.stopped():
            raise error
        await asyncio.wait([self.task])
        if self.ending is None or self.ending.transition is not wanted.transition:
            raise Conflict(f"Job {self.claimed.job_id} {_TOO_LATE[wanted.transition]}")

    async def stopped(self) -> Exception | None:
        """Wait for the controller's answer to an abort. Return what prevented it."""
        stopping = self._state.stopping
        return await asyncio.shield(stopping) if stopping is not None else None

    def close(self) -> None:
        """The station is closed: abandon a run that goes on without it, and end any other."""
        at_closing = self.at_closing
        if at_closing is AtClosing.GOES_ON and self.phase is not Phase.ENDED:
            self.abandon()
        elif self.is_lost:
            self._state.abort()
        else:
            self._state.ask_to_end(RunEnding(_WHEN_CLOSED[at_closing], CLOSED))

    def abandon(self) -> None:
        """Ask nothing more of its machine, and write nothing more about it."""
        self.task.cancel()

    # The lease

    @property
    def lease_ends(self) -> float:
        """Until when it may act, by the loop's clock."""
        return self._state.lease_ends

    def extend_lease(self, ends: float) -> None:
        self._state.lease_ends = max(ends, self._state.lease_ends)

    def lose_lease(self) -> None:
        self._state.lose_lease()

    @property
    def may_be_taken_back(self) -> bool:
        """Whether it was lost, and no station starts it again without asking."""
        return self.is_lost and self._executor.on_loss is OnLoss.INTERRUPT

    async def take_back(self, lease_s: float) -> bool:
        """Continue a run whose lease was lost, unless another station has decided about it. Return
        whether it is this station's."""
        async with self._reattaching:
            if not self.is_lost:
                return True
            try:
                ends = asyncio.get_running_loop().time() + lease_s
                await self._writer.write(
                    move_of(self.claimed, t.REATTACHED, reason=TAKEN_BACK, lease_s=lease_s)
                )
            except (Fenced, Conflict) as error:
                log.warning("%s now belongs to another station: %s", self._state.name, error)
                return False
            self._state.lease_ends = ends
            if self.is_lost:
                self._state.taken_back()
            return True

    # The task

    async def _run_session(self) -> None:
        current_run.set(self.claimed)
        loop, state = asyncio.get_running_loop(), self._state
        begun = loop.time()
        try:
            ending = await self._end()
            if ending is None or (self.is_lost and not await self.take_back(WRITING_S)):
                return
            seconds = loop.time() - begun
            real = state.begun and self._executor.on_loss is OnLoss.INTERRUPT
            half_made = real and ending.transition not in (t.COMPLETED, t.REQUEUED)
            kept = self._record.result() if self._record is not None else None
            await write_ending(
                self._writer, self.claimed, ending, seconds, half_made=half_made, kept=kept
            )
            self.ending = ending
        except (Fenced, Conflict) as error:
            log.warning("%s: %s", state.name, error)
        except Exception:
            log.exception("%s", state.name)
        finally:
            state.end()

    async def _end(self) -> RunEnding | None:
        """Drive the run. Return how it ended; None if another station has decided about it."""
        state = self._state
        try:
            order = await self._library.order(self.claimed)
            self._progress = Progress(order)
            if self._previous:  # the run that lost its lease may still be stopping
                await asyncio.wait([session.task for session in self._previous])
                self._previous = ()
            return await RunSteps(state, self._judge, order, self._found).run()
        except (Fenced, Conflict):
            raise
        except RunAborted:
            if not self.is_lost:
                return state.asked or RunEnding(t.ABORTED)
            await self.stopped()
            return None
        except (RunFailed, Unavailable) as error:
            return self._judge.failed(self.claimed, str(error))
        except Exception as error:
            log.exception("%s", state.name)
            reason = f"internal error: {error}"
            if state.begun and self._executor.on_loss is OnLoss.INTERRUPT:  # it may be cutting
                return RunEnding(t.INTERRUPTED, reason)
            return self._judge.failed(self.claimed, reason)
