"""A shop's schedules for the pictures: of machines and of handlers, one paused, one with a
warning."""

from dataclasses import replace

from cnc_station.engine.commands import CreateSchedule, PauseSchedule, TriggerSchedule
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import CatchUp, Overlap, Schedule
from cnc_station.engine.door import Door

_WARM_UP = JobSpec("Spindle warm-up", "mill", estimated_s=720.0, priority=90)
_SCHEDULES = (
    Schedule("Warm-up of the mills", "30 6 * * 1-5", "Europe/Berlin", _WARM_UP),
    Schedule(
        "Coolant check",
        "0 */4 * * *",
        "Europe/Berlin",
        JobSpec("Coolant check", "lathe", estimated_s=300.0),
        overlap=Overlap.QUEUE,
        jitter_s=300.0,
    ),
    Schedule(
        "Night report",
        "30 2 * * *",
        "Europe/Berlin",
        JobSpec("Night report", handler="test.echo", estimated_s=5.0),
        CatchUp.ONCE,
    ),
    Schedule(
        "Probe calibration",
        "0 7 1 * *",
        "Europe/Berlin",
        replace(_WARM_UP, name="Probe calibration"),
    ),
)


async def add_schedules(door: Door) -> None:
    """Add them, trigger one and pause another."""
    ids = [await door.execute(CreateSchedule(spec)) for spec in _SCHEDULES]
    await door.execute(TriggerSchedule(ids[0]))
    await door.execute(PauseSchedule(ids[3], "the probe is at its maker's"))
