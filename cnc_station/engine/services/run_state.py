"""The phase of a run in hand, and what is done at its controller while it is in one."""

import asyncio
import logging

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.drivers.base import OnLoss, RunAborted
from cnc_station.engine.services.executor import Executor
from cnc_station.engine.services.operator_prompt import OperatorPrompt, OperatorReply, PromptBox
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import RUNNER, RunEnding, move_of
from cnc_station.engine.services.run_inbox import RunInbox
from cnc_station.engine.services.run_phase import (
    AT_MACHINE,
    NEXT,
    NOT_BEGUN,
    OUT_OF_HAND,
    TO_END,
    Phase,
)
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.views import Doing, Status

log = logging.getLogger(__name__)

CONTROLLER = "controller"


class RunState:
    """What a run session and its steps share. `asked` is how the run ends if it is stopped; None
    as long as nobody has asked for that, and where it was lost."""

    def __init__(
        self,
        writer: RetryingWriter,
        claimed: Claimed,
        executor: Executor,
        lease_ends: float,
        phase: Phase,
    ) -> None:
        self.writer = writer
        self.claimed = claimed
        self.executor = executor
        self.lease_ends = lease_ends
        self.phase = phase
        self.part = 1  # the one in hand, from 1
        self.asked: RunEnding | None = None
        self.stopping: asyncio.Task[Exception | None] | None = None
        self.prompts = PromptBox()
        self.inbox = RunInbox()
        self._written = Phase.RUNNING  # or HELD: what is written of it
        self._news: asyncio.Future[None] | None = None
        if phase in AT_MACHINE:
            self.inbox.open()

    def enter(self, phase: Phase) -> None:
        """The one place that changes the phase."""
        assert phase in NEXT[self.phase], f"a run does not go from {self.phase} to {phase}"
        before, self.phase = self.phase, phase
        if phase in AT_MACHINE:
            if before not in AT_MACHINE:
                self.inbox.open()
        elif phase is not Phase.STARTING:
            self.prompts.dismiss()
            self.inbox.refuse(self.gone)

    @property
    def begun(self) -> bool:
        """Whether its start is being written, or is."""
        return self.phase not in NOT_BEGUN

    @property
    def name(self) -> str:
        """For the log."""
        return f"run {self.claimed.run_id} of job {self.claimed.job_id}"

    @property
    def gone(self) -> str:
        """What is said to whoever asks something of it too late."""
        return f"Job {self.claimed.job_id} is not at a machine any more."

    def starting(self) -> None:
        """Its start is about to be written: it can't be deferred any more."""
        self.enter(Phase.STARTING)

    def started(self) -> None:
        """Its start is written, and its machine is told to start or has: it can be held."""
        self.enter(Phase.RUNNING)
        if not self.claimed.begun:
            self.hear(self.executor.status())

    async def unless_stopped(self) -> None:
        """Raises RunAborted if nothing may be started any more. A process that stood still wakes
        wherever it was, perhaps just before it starts a machine; others may have taken over."""
        if self.stopping is not None:
            await asyncio.wait([self.stopping])
        if self.lease_ends <= asyncio.get_running_loop().time():
            self.lose_lease()
        if self.phase in TO_END:
            raise RunAborted("stopped before it began")

    async def hold(self, actor: str, reason: str) -> None:
        """Stop the feed, and write it when the controller has."""
        await self.executor.hold()
        await self._write(t.HELD, actor, reason)

    async def resume(self, actor: str) -> None:
        """Go on after a hold, or with the next part. Written first, since that proves the right to
        set the machine going; and written back if the controller does not go on."""
        await self.writer.write(move_of(self.claimed, t.CONTINUED, actor))
        self._is_written(Phase.RUNNING)
        between_parts = self.prompts.waits_for(OperatorPrompt.NEXT_PART)
        if not between_parts or self.executor.status().doing is Doing.HELD:
            try:
                await self.executor.resume()
            except Exception as error:
                await self._write(t.HELD, reason=str(error))
                raise
        if self.prompts.waits_for(OperatorPrompt.NEXT_PART):
            self.prompts.reply(OperatorPrompt.NEXT_PART, OperatorReply(actor))

    async def pause(self, prompt: OperatorPrompt, words: str) -> None:
        """Held until a person says by resuming that it may go on. Raises RunAborted if the run is
        stopped instead."""
        await self.unless_stopped()

        async def hold() -> None:
            if self._written is not Phase.HELD:
                await self._write(t.HELD, reason=words)
            self.prompts.prompt(prompt)

        await self.inbox.put(hold)
        await self.reply_to(prompt)

    async def wait_while_held(self) -> None:
        """Between two parts: wait until a hold that came just then is resumed. Raises RunAborted
        if the run is stopped instead."""

        async def prompt_if_held() -> None:
            if self._written is Phase.HELD:
                self.prompts.prompt(OperatorPrompt.NEXT_PART)

        await self.unless_stopped()
        while self._written is Phase.HELD or self.inbox.busy:
            await self.inbox.put(prompt_if_held)
            if self._written is Phase.HELD:
                await self.reply_to(OperatorPrompt.NEXT_PART)
            await self.unless_stopped()

    async def reply_to(self, prompt: OperatorPrompt) -> OperatorReply:
        """Wait for a person's reply. Raises RunAborted if the run is stopped instead."""
        await self.unless_stopped()
        return await self.prompts.wait(prompt)

    def hear(self, status: Status) -> None:
        """What its machine does by itself, a stop in its program or somebody at its panel, is
        written as it happens. Told by the driver."""
        if self._differs(status) and (self._news is None or self._news.done()):
            self._news = self.inbox.put(self._follow)
            self._news.add_done_callback(self._log_failure)

    def _differs(self, status: Status) -> bool:
        if self.prompts.waits_for(OperatorPrompt.NEXT_PART):
            return False
        return (self.phase is Phase.HELD and status.doing is Doing.RUNNING) or (
            self.phase is Phase.RUNNING and status.doing is Doing.HELD
        )

    async def _follow(self) -> None:
        while self._differs(status := self.executor.status()):
            if self.phase is Phase.HELD:
                await self._write(t.CONTINUED, CONTROLLER)
            else:
                await self._write(t.HELD, CONTROLLER, status.why or "held at the machine")

    def _log_failure(self, news: asyncio.Future[None]) -> None:
        if not news.cancelled() and (error := news.exception()):
            log.warning("%s: %s", self.name, error)

    async def _write(self, row: t.Transition, actor: str = RUNNER, reason: str = "") -> None:
        await self.writer.write_until_committed(move_of(self.claimed, row, actor, reason=reason))
        self._is_written(Phase.HELD if row is t.HELD else Phase.RUNNING)

    def _is_written(self, phase: Phase) -> None:
        """A run that is to stop stays so; if its controller does not confirm, this is where it
        is."""
        self._written = phase
        if self.phase in (Phase.RUNNING, Phase.HELD) and self.phase is not phase:
            self.enter(phase)

    async def settled(self) -> None:
        """Its machine has ended it: what that said before is written first, and nothing more is
        asked of it."""
        self.inbox.refuse(self.gone)
        if self._news is not None and not self._news.done():
            await asyncio.wait([self._news])

    def ask_to_end(self, ending: RunEnding) -> None:
        """Stop it, to end so; one that is to end already stays with what was asked first."""
        if self.phase in TO_END or self.phase is Phase.ENDED:
            return
        self.asked = ending
        if self.phase in AT_MACHINE or (self.begun and not self.executor.abilities.starts):
            self.enter(Phase.STOPPING)
            self.abort()
        else:
            self.enter(Phase.WITHDRAWN)

    def abort(self) -> None:
        """Have the controller end it, once; `stopping` has its answer."""
        if self.stopping is None:
            self.stopping = asyncio.create_task(self._abort_at_controller())

    async def _abort_at_controller(self) -> Exception | None:
        """What kept the controller from confirming; the run then goes on as if nobody had asked."""
        try:
            await self.executor.abort()
        except Exception as error:  # noqa: BLE001 - handed to whoever has asked
            log.warning("%s could not be stopped: %s", self.name, error)
            self.stopping = None
            if self.phase is Phase.STOPPING:
                self.asked = None
                self.enter(self._written)
                self.hear(self.executor.status())
            return error
        if self.phase is not Phase.ENDED:
            self.prompts.dismiss()
        return None

    def lose_lease(self) -> None:
        """Act no longer: others may have taken over. What may be half made goes on, since nobody
        will begin it blindly."""
        if self.phase in OUT_OF_HAND:
            return
        log.warning("lost the lease of %s", self.name)
        self.enter(Phase.LOST)
        if self.executor.on_loss is OnLoss.RETRY:
            self.abort()

    def taken_back(self) -> None:
        """Its lease is this station's again; what its machine did meanwhile is written."""
        self._written = Phase.RUNNING
        self.enter(Phase.RUNNING)
        self.hear(self.executor.status())

    def end(self) -> None:
        """It is over, and what is still asked of it comes too late."""
        self.inbox.close(self.gone)
        self.enter(Phase.ENDED)
