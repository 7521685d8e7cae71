"""What needs a person: the engine's findings, and the links that it can't report itself."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.views import Link, NeedsYou, Remedy
from cnc_station.ui.link_text import NAME, OFFLINE, link_name
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


def worst_tone(items: Sequence[NeedsYou]) -> Tone:
    """The colour of the badge that counts them."""
    tones = {tone_of_need(item) for item in items}
    return next((tone for tone in _WORST_FIRST if tone in tones), Tone.NORMAL)


def link_needs(links: Sequence[Link]) -> tuple[NeedsYou, ...]:
    """The links that are down: a query of the floor can't report its own database, nor a disk that
    can't be written."""
    away = [link for link in links if link.state == OFFLINE]
    return tuple(_of_link(link) for link in away if link.name in {NAME, *_TRIED_AGAIN})


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
