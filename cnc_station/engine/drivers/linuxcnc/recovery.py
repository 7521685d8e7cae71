"""What became of a run that nobody watched. See `ending` for what proves an end."""

from cnc_station.engine.drivers.base import Order, RunInspection, RunOutcome
from cnc_station.engine.drivers.linuxcnc.ending import Ending
from cnc_station.engine.drivers.linuxcnc.files import Note, Owner, owner_of
from cnc_station.engine.drivers.linuxcnc.run_monitor import words_of
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Snapshot


def in_hand(now: Snapshot, order: Order) -> Owner | None:
    """By the name of the file that is open; None where it is not this run's."""
    owner = owner_of(now.program)
    return owner if owner is not None and owner.run_id == order.run_id else None


def setting_up(part: int) -> RunInspection:
    """The answer where the modes for a part were being set: that part was never started, and the
    one before it was done."""
    if part > 1:
        return RunInspection(RunOutcome.FINISHED, f"part {part} was being set up", part - 1)
    return RunInspection(RunOutcome.STOPPED, "its modes were being set, and it was never started")


def found(now: Snapshot, ending: Ending, note: Note | None, part: int) -> RunInspection:
    """The answer for a run whose file is open."""
    if now.state != IDLE:
        return RunInspection(RunOutcome.UNDER_WAY, f"it is in line {now.line}", part)
    if now.line == 0:
        return RunInspection(RunOutcome.STOPPED, "its program is open and was never started", part)
    stands = f"the tool stands at {words_of(now)}"
    doubt = _doubt(now, ending, note)
    if doubt:
        return RunInspection(RunOutcome.STOPPED, f"the controller is idle, {stands}; {doubt}", part)
    return RunInspection(RunOutcome.FINISHED, f"{stands}, where only the program's end leads", part)


def _doubt(now: Snapshot, ending: Ending, note: Note | None) -> str:
    if now.estop or not now.on:
        return "it is in the emergency stop" if now.estop else "the machine is off"
    if not ending.known:
        return "nobody can tell where the program ends"
    if not ending.stands_at_end(now.place, z_is_work=now.z_is_work):
        return "the program ends elsewhere"
    if note is None or not note.late:
        return "the program ends there, but leads there earlier too"
    if now.mode != "AUTO":
        return f"in {now.mode} mode: somebody has been there"
    return "; ".join(now.errors)
