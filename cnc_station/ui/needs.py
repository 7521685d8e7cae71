"""What needs a person: the engine's findings, and the links that it can't report itself."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.alerts import AlertKind, Waiting
from cnc_station.engine.views import Link, NeedsYou, Remedy
from cnc_station.engine.views.alerts import AlertRow
from cnc_station.ui.alerts.alert_text import is_about_job
from cnc_station.ui.link_text import BACKUP, NAME, OFFLINE, link_name
from cnc_station.ui.theme import Tone

_TONES = {
    Remedy.UNLOCK: Tone.ALARM,
    Remedy.DECIDE: Tone.ALARM,
    Remedy.CLEAR: Tone.OPERATOR,
    Remedy.CONTINUE: Tone.HELD,
    Remedy.SET_UP: Tone.OPERATOR,
    Remedy.FINISH: Tone.NORMAL,
    Remedy.RETRY: Tone.ALARM,
    Remedy.RECONNECT: Tone.HELD,
    Remedy.CONFIRM_POSITION: Tone.OPERATOR,
    Remedy.MAKE_READY: Tone.HELD,
    Remedy.FIND_STATION: Tone.ALARM,
    Remedy.TRY_LINK: Tone.ALARM,
    Remedy.ACCEPT_DATABASE: Tone.ALARM,
    Remedy.BACK_UP: Tone.HELD,
}
_WAITS = {
    Remedy.CLEAR: Waiting.CLEARING,
    Remedy.CONTINUE: Waiting.HELD,
    Remedy.SET_UP: Waiting.SET_UP,
    Remedy.CONFIRM_POSITION: Waiting.POSITION,
}
_KINDS = {
    Remedy.UNLOCK: AlertKind.MACHINE_ALARM,
    Remedy.RECONNECT: AlertKind.MACHINE_UNREACHABLE,
    Remedy.DECIDE: AlertKind.JOB_INTERRUPTED,
    Remedy.RETRY: AlertKind.JOB_NEEDS_ATTENTION,
    Remedy.FIND_STATION: AlertKind.STATION_LOST,
    **dict.fromkeys(_WAITS, AlertKind.MACHINE_WAITING),
}
_TRIED_AGAIN = {"database"}  # without Redis work is only slower: the top bar shows it
_WORST_FIRST = (Tone.ALARM, Tone.HELD, Tone.OPERATOR)


def tone_of_need(item: NeedsYou) -> Tone:
    """The colour of its mark."""
    return _TONES[item.remedy]


def of_machine(item: NeedsYou) -> bool:
    """Whether it concerns a machine rather than a job."""
    about_jobs = {Remedy.DECIDE, Remedy.RETRY}
    return item.machine_id is not None and item.remedy not in about_jobs


def is_told_by(item: NeedsYou, row: AlertRow) -> bool:
    """Whether an alert is about what an item needs a person for."""
    if _KINDS.get(item.remedy) is not row.kind:
        return False
    if row.kind is AlertKind.STATION_LOST:
        return row.args.get("station") == item.about
    if is_about_job(row):
        return row.job_id == item.job_id
    return row.machine_id == item.machine_id and (
        item.remedy not in _WAITS or row.args.get("waits_for") == _WAITS[item.remedy]
    )


def worst_tone(items: Sequence[NeedsYou]) -> Tone:
    """The colour of the badge that counts them."""
    tones = {tone_of_need(item) for item in items}
    return next((tone for tone in _WORST_FIRST if tone in tones), Tone.NORMAL)


def link_needs(links: Sequence[Link]) -> tuple[NeedsYou, ...]:
    """The links that are down: a query of the floor can't report its own database, nor a disk that
    can't be written. After them a back-up that is overdue."""
    overdue = [_of_backup(link) for link in links if link.name == BACKUP]
    return (*(_of_link(link) for link in links if _is_down(link)), *overdue)


def is_cut_off(links: Sequence[Link]) -> bool:
    """Whether the station has lost its database or its name."""
    return any(map(_is_down, links))


def _is_down(link: Link) -> bool:
    return link.state == OFFLINE and link.name in {NAME, *_TRIED_AGAIN}


def _of_backup(link: Link) -> NeedsYou:
    title, why = _tr("No back-up of the last day"), link.detail.rstrip(".")
    return NeedsYou(Remedy.BACK_UP, title, why, link.since, None, None, about=link.name)


def _of_link(link: Link) -> NeedsYou:
    if link.name == NAME:
        title = _tr("This station: its name is taken")
    else:
        title = _tr("{name}: not saving").format(name=link_name(link))
    detail = link.detail.rstrip(".")
    tried = link.name in _TRIED_AGAIN
    return NeedsYou(
        Remedy.TRY_LINK, title, detail, link.since, None, None, at_panel=not tried, about=link.name
    )


def _tr(english: str) -> str:
    return QCoreApplication.translate("Needs", english)
