"""What people ask of machines and of jobs at them, done by the station that has the machine."""

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.services.active_runs import PATIENCE_S, ActiveRuns
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.run_phase import Ask, RunMessage

CLAIM_HEARD_S = 1.0  # until the station that made a claim has its answer

# Only the controller can do these, or a run that waits for a person's reply.
_ASKED = {
    JobAction.HOLD: Ask.HOLD,
    JobAction.CONTINUE: Ask.RESUME,
    JobAction.ABORT: Ask.ABORT,
    JobAction.START: Ask.CONFIRM,
    JobAction.FINISH: Ask.FINISH,
    JobAction.DEFER: Ask.DEFER,
}
JOBS_AT_MACHINES = frozenset(_ASKED)

AT_CONTROLLERS = frozenset(
    {MachineAction.UNLOCK, MachineAction.CONFIRM_POSITION, MachineAction.RECONNECT}
)


class AtMachines:
    """Asked by the window here, or by a remote command from another station."""

    def __init__(self, runs: ActiveRuns, pool: DriverPool) -> None:
        self._runs = runs
        self._pool = pool

    def has_job(self, job_id: int) -> bool:
        return self._runs.drives(job_id)

    async def comes(self, job_id: int) -> None:
        """Wait for a job that is here according to the database. Others can read a claim a moment
        before this station has its answer."""
        await self._runs.comes(job_id, CLAIM_HEARD_S)

    def has_machine(self, machine_id: int) -> bool:
        return machine_id in self._pool.drivers

    async def act(self, action: str, job_id: int, actor: str, reason: str) -> None:
        """Do one of `JOBS_AT_MACHINES`. Raises Conflict, Unavailable."""
        message = RunMessage(_ASKED[JobAction(action)], actor, reason)
        await self._runs.session_of(job_id).ask(message)

    async def act_on_machine(self, action: str, machine_id: int, actor: str, reason: str) -> None:
        """Do one of `AT_CONTROLLERS`. Raises Conflict with what has to be done first,
        Unavailable."""
        match MachineAction(action):
            case MachineAction.UNLOCK:
                if not await self._runs.are_over(machine_id, PATIENCE_S):
                    raise Conflict("What ran on it is not over yet.")
                await self._pool.unlock(machine_id, actor, reason)
            case MachineAction.CONFIRM_POSITION:
                if not await self._runs.are_over(machine_id, PATIENCE_S):
                    raise Conflict("Something runs on it.")
                await self._pool.confirm_position(machine_id, actor)
            case MachineAction.RECONNECT:
                await self._pool.reconnect(machine_id)
            case other:
                raise Conflict(f"{other} is not for a controller.")
