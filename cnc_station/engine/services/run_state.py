"""The phase of an active run, and what is done at its controller in each phase."""

import asyncio
import logging

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.drivers.base import OnLoss, RunAborted
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import RUNNER, RunEnding, move_of
from cnc_station.engine.services.run_inbox import (
    OperatorPrompt,
    OperatorReply,
    PromptBox,
    RunInbox,
)
from cnc_station.engine.services.run_phase import (
    AT_MACHINE,
    NEXT,
    NOT_BEGUN,
    OUT_OF_HAND,
    TO_END,
    Phase,
)
from cnc_station.engine.services.worker_slots import Executor
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.views import Doing, Status

log = logging.getLogger(__name__)

CONTROLLER = "controller"


class RunState:
    """What a run session and its steps share.

    `part` counts from 1. `asked` is the ending that was asked for; None if none was, or if the run
    was lost. `stopping` is the abort at the controller; its result is what prevented it.
    """

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
        self.part = 1
        self.asked: RunEnding | None = None
        self.stopping: asyncio.Task[Exception | None] | None = None
        self.prompts = PromptBox()
        self.gone = f"Job {claimed.job_id} is not at a machine any more."
        self.inbox = RunInbox(self.gone)
        self._written = Phase.RUNNING  # or HELD, as the database says
        self._holding = False  # a hold is asked of the controller, or being written
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
            self.inbox.refuse()

    @property
    def name(self) -> str:
        """As the log names it."""
        return f"run {self.claimed.run_id} of job {self.claimed.job_id}"

    @property
    def begun(self) -> bool:
        """Whether its start is written, or is being written."""
        return self.phase not in NOT_BEGUN

    async def unless_stopped(self) -> None:
        """Raise RunAborted if nothing may be started any more.

        A process that was suspended may resume just before it starts a machine, when another
        station has already taken over. So the lease is checked here too.
        """
        if self.stopping is not None:
            await asyncio.wait([self.stopping])
        if self.lease_ends <= asyncio.get_running_loop().time():
            self.lose_lease()
        if self.phase in TO_END:
            raise RunAborted("stopped before it began")

    async def hold(self, actor: str, reason: str) -> None:
        self._holding = True
        try:
            await self.executor.hold()
            await self._write(t.HELD, actor, reason)
        finally:
            self._holding = False

    async def resume(self, actor: str) -> None:
        """Continue after a hold, or with the next part.

        Written first, because that proves the right to start the machine. Written back if the
        controller does not continue.
        """
        await self.writer.write(move_of(self.claimed, t.CONTINUED, actor))
        self._is_written(Phase.RUNNING)
        between_parts = self.prompts.waits_for(OperatorPrompt.NEXT_PART)
        if not between_parts or self.executor.status().doing is Doing.HELD:
            try:
                await self.executor.resume()
            except Exception as error:
                await self._write(t.HELD, reason=str(error))
                raise
        self.prompts.reply(OperatorPrompt.NEXT_PART, OperatorReply(actor))

    async def pause(self, reason: str) -> None:
        """Hold the run between two parts until a person resumes it. Raises RunAborted if it is
        stopped instead."""

        async def hold() -> None:
            if self._written is not Phase.HELD:
                await self._write(t.HELD, reason=reason)
            self.prompts.prompt(OperatorPrompt.NEXT_PART)

        await self.unless_stopped()
        await self.inbox.put(hold)
        await self.reply_to(OperatorPrompt.NEXT_PART)

    async def wait_while_held(self) -> None:
        """Wait until a hold that came between two parts is resumed. Raises RunAborted if the run is
        stopped instead."""

        async def prompt_if_held() -> None:
            if self._written is Phase.HELD:
                self.prompts.prompt(OperatorPrompt.NEXT_PART)

        await self.unless_stopped()
        while self._written is Phase.HELD or self._holding:
            await self.inbox.put(prompt_if_held)
            if self._written is Phase.HELD:
                await self.reply_to(OperatorPrompt.NEXT_PART)
            await self.unless_stopped()

    async def reply_to(self, prompt: OperatorPrompt) -> OperatorReply:
        """Wait for a person's reply. Raises RunAborted if the run is stopped instead."""
        await self.unless_stopped()
        return await self.prompts.wait(prompt)

    def hear(self, status: Status) -> None:
        """Write a hold or a resume that happened at the machine: a stop in its program, or a person
        at its panel. The driver calls this."""
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
        """Enter the phase too, unless the run is to end. If its controller does not confirm that,
        the run returns to this phase."""
        self._written = phase
        if self.phase in (Phase.RUNNING, Phase.HELD) and self.phase is not phase:
            self.enter(phase)

    async def settled(self) -> None:
        """Refuse further work after the end, and wait until earlier news of the machine is
        written."""
        self.inbox.refuse()
        if self._news is not None and not self._news.done():
            await asyncio.wait([self._news])

    def ask_to_end(self, ending: RunEnding) -> None:
        """Stop the run. The first ending that was asked for counts."""
        if self.phase in TO_END or self.phase is Phase.ENDED:
            return
        self.asked = ending
        if self.phase in AT_MACHINE or (self.begun and not self.executor.abilities.starts):
            self.enter(Phase.STOPPING)
            self.abort()
        else:
            self.enter(Phase.WITHDRAWN)

    def abort(self) -> None:
        """Abort at the controller, once at a time."""
        if self.stopping is None:
            self.stopping = asyncio.create_task(self._abort_at_controller())

    async def _abort_at_controller(self) -> Exception | None:
        try:
            await self.executor.abort()
        except Exception as error:  # noqa: BLE001 - returned to the callers who wait for it
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
        """Stop acting: another station may take over. A part that may be half made goes on, because
        no station starts it again without asking."""
        if self.phase in OUT_OF_HAND:
            return
        log.warning("lost the lease of %s", self.name)
        self.enter(Phase.LOST)
        if self.executor.on_loss is OnLoss.RETRY:
            self.abort()

    def taken_back(self) -> None:
        """The lease is this station's again: write what the machine did meanwhile."""
        self._written = Phase.RUNNING
        self.enter(Phase.RUNNING)
        self.hear(self.executor.status())

    def end(self) -> None:
        """Refuse everything that is still asked."""
        self.inbox.close()
        self.enter(Phase.ENDED)
