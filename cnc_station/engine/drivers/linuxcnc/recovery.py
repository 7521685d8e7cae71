"""The outcome of a run that no station was watching. See `ending` for the proof of an end."""

from cnc_station.engine.drivers.base import Order, RunInspection, RunOutcome
from cnc_station.engine.drivers.linuxcnc.ending import Ending
from cnc_station.engine.drivers.linuxcnc.files import Note, Owner, owner_of
from cnc_station.engine.drivers.linuxcnc.run_monitor import words_of
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Snapshot


def owner_for(now: Snapshot, order: Order) -> Owner | None:
    """Return the owner of the open file; None if it is not of this run."""
    owner = owner_of(now.program)
    return owner if owner is not None and owner.run_id == order.run_id else None


def inspect_set_up(part: int) -> RunInspection:
    """Return the outcome while the modes for a part were being set.

    That part was never started, and the one before was done.
    """
    if part > 1:
        return RunInspection(RunOutcome.FINISHED, f"part {part} was being set up", part - 1)
    return RunInspection(RunOutcome.STOPPED, "its modes were being set, and it was never started")


def inspect(now: Snapshot, ending: Ending, note: Note | None, part: int) -> RunInspection:
    """Return the outcome of a run whose file is open."""
    if now.state != IDLE:
        return RunInspection(RunOutcome.UNDER_WAY, f"it is in line {now.line}", part)
    if now.line == 0:
        return RunInspection(RunOutcome.STOPPED, "its program is open and was never started", part)
    stands = f"the tool stands at {words_of(now)}"
    doubt = _doubt(now, ending, note)
    if doubt:
        return RunInspection(RunOutcome.STOPPED, f"the controller is idle, {stands}; {doubt}", part)
    return RunInspection(
        RunOutcome.FINISHED, f"{stands}, which only the end of the program reaches", part
    )


def _doubt(now: Snapshot, ending: Ending, note: Note | None) -> str:
    if now.estop or not now.on:
        return "it is in the emergency stop" if now.estop else "the machine is off"
    if not ending.known:
        return "the end position of the program is unknown"
    if not ending.stands_at_end(now.place, z_is_work=now.z_is_work):
        return "the program ends elsewhere"
    if note is None or not note.late:
        return "the program ends there, but also passes there earlier"
    if now.mode != "AUTO":
        return f"in {now.mode} mode: an operator has been at the machine"
    return "; ".join(now.errors)
