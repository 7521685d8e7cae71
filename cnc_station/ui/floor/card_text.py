"""What a machine card says, worked out from what the engine knows. Nothing here paints."""

from dataclasses import dataclass, replace
from enum import StrEnum

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.views import (
    Abilities,
    Doing,
    JobRow,
    MachineCard,
    MachineRow,
    Status,
    Telemetry,
)
from cnc_station.ui import formatting
from cnc_station.ui.drivers import (
    at_panel,
    is_unready,
    machine_look,
    unattended,
    waits_for_set_up,
    wants_position,
)
from cnc_station.ui.reading_text import time_a_part
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.state_look import StateLook, look_of

_STEPS = 250  # of a bar: smaller ones than its width in pixels are not worth a repaint
_TELLING = 0.02  # the least share of a run whose pace predicts its end
# With a job at the machine, the controller's message then states what the job waits for.
_TELLS_OPERATOR = frozenset({Doing.RUNNING, Doing.READY, Doing.NOT_READY})


class CardAction(StrEnum):
    """What a card offers with one tap; ABORT needs holding."""

    HOLD = "hold"
    CONTINUE = "continue"
    ABORT = "abort"
    CLEAR = "clear"
    UNLOCK = "unlock"
    SET_UP = "set_up"
    FINISH = "finish"
    END_MAINTENANCE = "end_maintenance"
    RECONNECT = "reconnect"
    CONFIRM_POSITION = "confirm_position"
    DETAILS = "details"


REMEDIES = {
    MachineState.HELD: (CardAction.CONTINUE, CardAction.ABORT),
    MachineState.ALARM: (CardAction.DETAILS, CardAction.UNLOCK),
    MachineState.NEEDS_CLEARING: (CardAction.DETAILS, CardAction.CLEAR),
    MachineState.MAINTENANCE: (CardAction.END_MAINTENANCE,),
}
"""The buttons that replace the figures, the likeliest last: under the right thumb. Only Continue
is apart from it, because a second tap on Hold would land there."""

_TRY_AGAIN = (CardAction.DETAILS, CardAction.RECONNECT)
_CAN_DO_ALL = Abilities()


@dataclass(frozen=True, slots=True)
class CardText:
    """The text of a card except the time in state, which counts from `since` (ms). `figure` is the
    time left, `aside` the two short lines beside it. `idle` greys the title. `corner` is the button
    beside the figures."""

    name: str
    model: str
    look: StateLook
    since: int
    title: str
    note: str = ""
    figure: str = ""
    aside: tuple[str, str] = ("", "")
    fraction: float | None = None
    foot: str = ""
    late: bool = False
    count: str = ""
    idle: bool = False
    remedies: tuple[CardAction, ...] = ()
    corner: CardAction | None = None

    @property
    def tone(self) -> Tone:
        """The tone of the frame: NORMAL while it runs."""
        return Tone.NORMAL if self.look.tone is Tone.RUNNING else self.look.tone

    @property
    def spoken(self) -> str:
        """The card in one sentence, for a screen reader."""
        parts = (self.name, self.look.word, self.title, self.note, self.figure, *self.aside)
        return ", ".join(part for part in (*parts, self.foot) if part)


def card_text_of(
    card: MachineCard,
    telemetry: Telemetry | None,
    now: int,
    *,
    status: Status | None = None,
    can: Abilities = _CAN_DO_ALL,
) -> CardText:
    """The text of a card. `telemetry` and `status` are None without data from the controller; `can`
    is what its driver can do."""
    machine = card.machine
    state = machine.state
    live = telemetry if card.job is not None else None
    text = CardText(
        name=machine.spec.name,
        model=machine.spec.model or machine.spec.driver,
        look=machine_look(machine, can),
        since=machine.state_since,
        title=_title(card),
        note=_note(card, live, status),
        foot=_what_to_do(machine, status, can) or _foot(card, live, status, now),
        late=card.job is not None and card.job.late,
        count=_tr("{n:,} today").format(n=card.completed_today) if card.completed_today else "",
        idle=card.job is None,
        remedies=_remedies(card, can),
        corner=_corner(card, can),
    )
    return _with_figures(text, card.job, live, state)


def _what_to_do(machine: MachineRow, status: Status | None, can: Abilities) -> str:
    """What a person can do about a machine that is stuck, in the driver's words."""
    if not machine.attended:
        return _tr("Look at the PC of that station.")
    if machine.at_work and machine.missing_since is not None:
        return _tr("It reconnects by itself: look at the machine.")
    panel = at_panel(machine, can)
    stuck = panel or machine.state in {MachineState.ALARM, MachineState.OFFLINE}
    return (status.remedy if status is not None and stuck else "") or panel


def _remedies(card: MachineCard, can: Abilities) -> tuple[CardAction, ...]:
    machine = card.machine
    if not machine.attended:
        return (CardAction.DETAILS,)
    if machine.missing_since is not None and machine.state is not MachineState.NEEDS_CLEARING:
        return (CardAction.DETAILS,) if machine.at_work else _TRY_AGAIN
    if machine.state is MachineState.IDLE and wants_position(machine):
        return (CardAction.DETAILS, CardAction.CONFIRM_POSITION)
    if card.job is not None and waits_for_set_up(machine, can):
        return (CardAction.SET_UP,)
    if at_panel(machine, can):
        return (CardAction.DETAILS,)
    remedies = REMEDIES.get(machine.state, ())
    return tuple(one for one in remedies if can.aborts or one is not CardAction.ABORT)


def _corner(card: MachineCard, can: Abilities) -> CardAction | None:
    machine = card.machine
    reached = machine.attended and machine.missing_since is None
    if machine.state is not MachineState.RUNNING or not reached:
        return None
    if not can.starts:
        return CardAction.FINISH
    return CardAction.HOLD if can.holds else None


def _with_figures(
    text: CardText, job: JobRow | None, live: Telemetry | None, state: MachineState
) -> CardText:
    if job is None:
        return text
    if live is None:
        if state is not MachineState.ASSIGNED:
            return text
        figure = time_a_part(job.estimated_s, doubtful=job.doubtful)
        return replace(text, figure=figure, aside=(_tr("estimated"), _tr("about to start")))
    several = live.parts > 1
    fraction = live.part_fraction if several else live.fraction
    percent = formatting.percent(fraction)
    line = "" if live.line is None else " · " + _tr("line {line:,}").format(line=live.line)
    return replace(
        text,
        figure=_time_left(live),
        aside=(percent + line, _tr("left of this part") if several else _tr("left")),
        fraction=round(fraction * _STEPS) / _STEPS,
    )


def _time_left(live: Telemetry) -> str:
    left = live.part_remaining_s if live.parts > 1 else live.remaining_s
    return formatting.NONE if left is None else formatting.duration(left)


def _title(card: MachineCard) -> str:
    if away := unattended(card.machine):
        return away
    if card.job is not None:
        return card.job.title
    if wants_position(card.machine) and card.machine.state is MachineState.IDLE:
        return _tr("Confirm its work zero")
    if is_unready(card.machine):
        return formatting.sentence(card.machine.not_ready)
    if card.machine.state is MachineState.IDLE and card.next_job is not None:
        return _tr("Free for the next job")
    return {
        MachineState.OFFLINE: machine_look(card.machine).word,
        MachineState.MAINTENANCE: _tr("Out of service"),
        MachineState.ALARM: _tr("The controller stopped"),
        MachineState.NEEDS_CLEARING: _tr("A part lies on it"),
    }.get(card.machine.state, _tr("Nothing to make"))


def _note(card: MachineCard, live: Telemetry | None, status: Status | None) -> str:
    """Below the title: what to do if nothing can start, why it stopped, the controller's message to
    the operator, otherwise material, part and program, otherwise why it is idle."""
    reason = card.machine.state_reason
    if (why := _why_nothing_starts(card.machine)) is not None:
        return why
    if is_unready(card.machine):
        starts_nothing = _tr("Nothing can start on it")
        return status.remedy if status is not None and status.remedy else starts_nothing
    if card.job is None:
        away = card.machine.state in {MachineState.OFFLINE, MachineState.MAINTENANCE}
        return reason if away else reason or card.why_idle
    if reason and card.machine.state in {MachineState.ALARM, MachineState.HELD}:
        return reason
    if status is not None and status.doing in _TELLS_OPERATOR and status.why:
        return status.why
    job = card.job
    program = job.program_name
    if program and job.program_revision is not None:
        program = f"{program} r{job.program_revision}"
    return " · ".join(part for part in (job.material, _parts(job, live), program) if part)


def _why_nothing_starts(machine: MachineRow) -> str | None:
    """The last known state while the station is offline, or why the position was lost."""
    if not machine.attended:
        if machine.state is MachineState.OFFLINE:
            return ""
        was = look_of(machine.state).word
        return _tr("Last known: {state}").format(state=was)
    if machine.position is not None and wants_position(machine):
        why = machine.position.position.reason
        return formatting.sentence(why) if machine.state is MachineState.IDLE else None
    return None


def _parts(job: JobRow, live: Telemetry | None) -> str:
    if job.quantity <= 1:
        return ""
    if live is None:
        return _tr("{n:,} parts").format(n=job.quantity)
    part = _tr("part {n:,} of {m:,}")
    return part.format(n=live.part, m=live.parts)


def _foot(card: MachineCard, live: Telemetry | None, status: Status | None, now: int) -> str:
    """The last line: that it is late, otherwise what comes next and when, otherwise why nothing
    does."""
    ends = _ends_at(card, live, now)
    job, reason = card.job, card.machine.state_reason
    if job is not None and job.late and job.due_at is not None:
        due = formatting.due(job.due_at, now)
        if ends is None:
            return _tr("Late: due {due}").format(due=due)
        likely = _tr("Late: due {due}, likely {end}")
        return likely.format(due=due, end=formatting.time_of_day(ends, seconds=False))
    if live is not None and card.machine.state is MachineState.HELD:
        held = _tr("{time} left, held at {percent}")
        return held.format(time=_time_left(live), percent=formatting.percent(live.fraction))
    if card.next_job is None:
        said = is_unready(card.machine) or card.why_idle in {_note(card, live, status), reason}
        return "" if said else formatting.sentence(card.why_idle)
    if ends is None:
        return _tr("Next: {job}").format(job=card.next_job.title)
    time = formatting.time_of_day(ends, seconds=False)
    return _tr("Next: {job}, {time}").format(job=card.next_job.title, time=time)


def _ends_at(card: MachineCard, live: Telemetry | None, now: int) -> int | None:
    """When the run is likely to end (ms), from its pace so far; None if unknown."""
    began = card.machine.run_started_at
    if live is None or began is None or card.machine.state is not MachineState.RUNNING:
        return None
    if live.fraction < _TELLING:
        return None
    return now + round((now - began) * (1 - live.fraction) / live.fraction)


def _tr(english: str) -> str:
    return QCoreApplication.translate("Floor", english)
