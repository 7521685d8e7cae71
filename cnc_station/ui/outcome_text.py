"""What became of an action on jobs or schedules, in words."""

from collections.abc import Sequence

from cnc_station.engine.bulk import BulkSummary, counted
from cnc_station.engine.domain.actions import JobAction, ScheduleAction
from cnc_station.engine.views import Answer

AS_BEFORE = "as before"
REPLAYING = "Replay"
REPLAYED = "sent again"
UNDOING = "Undo"
DONE = {
    JobAction.SUBMIT: "submitted",
    JobAction.PAUSE: "paused",
    JobAction.RESUME: "resumed",
    JobAction.HOLD: "held",
    JobAction.CONTINUE: "running again",
    JobAction.CANCEL: "cancelled",
    JobAction.ABORT: "aborted",
    JobAction.START: "started",
    JobAction.FINISH: "completed",
    JobAction.DEFER: "put aside",
    JobAction.RUN_NOW: "next in line",
    JobAction.REORDER: "moved in the queue",
    JobAction.PIN: "assigned",
    JobAction.DELAY: "delayed",
    JobAction.RETRY: "waiting again",
    JobAction.DISCARD: "discarded",
    JobAction.ACCEPT: "accepted as completed",
    JobAction.SCRAP: "counted as scrap and waiting again",
    JobAction.OVERRIDE: "set by hand",
    JobAction.DELETE: "deleted",
}
SCHEDULE_DONE = {
    ScheduleAction.PAUSE: "paused",
    ScheduleAction.RESUME: "resumed",
    ScheduleAction.TRIGGER: "triggered",
    ScheduleAction.DELETE: "deleted",
}
OPPOSITE = {
    ScheduleAction.PAUSE: ScheduleAction.RESUME,
    ScheduleAction.RESUME: ScheduleAction.PAUSE,
}


def doing(action: JobAction | ScheduleAction) -> str:
    """`Run now`, while it is being done."""
    return action.replace("_", " ").capitalize()


def progress(doing: str, count: int, total: int, noun: str = "job") -> str:
    """`Run now: 640 of 1,234 jobs`."""
    return f"{doing}: {count:,} of {counted(total, noun)}"


def applied(answers: Sequence[Answer], done: str, noun: str = "job") -> str:
    """What was done to chosen jobs, or whatever `noun` is."""
    one = f"{noun.capitalize()} {answers[0].id}"
    count = one if len(answers) == 1 else counted(len(answers), noun)
    return f"{count}: {done}"


def refused(first: str, count: int) -> str:
    """Why jobs were refused: the reason of the first."""
    return first if count == 1 else f"{first} ({count - 1:,} more were refused)"


def summary(found: BulkSummary, done: str, noun: str = "job") -> str:
    """What was done to all jobs of a filter, or whatever `noun` is."""
    whole = found.complete and found.done == found.total
    total = counted(found.total, noun)
    count = total if whole else f"{found.done:,} of {total}"
    text = f"{count}: {done}"
    if found.stopped:
        return f"{text}, then stopped"
    if left := found.left_alone:
        return f"{text}; {left:,} had changed meanwhile and were left alone"
    return text
