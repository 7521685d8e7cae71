"""The text for the station's links: its database, in a fleet Redis and its name, and its
back-up."""

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from cnc_station.engine.views import Link
from cnc_station.ui import formatting
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.top_bar import Connection

STANDALONE = "standalone"
OFFLINE = "offline"
NAME = "name"  # listed only after another station took it
BACKUP = "backup"  # listed only while it is overdue
_NAMES = {
    "database": QT_TRANSLATE_NOOP("Links", "Database"),
    "redis": QT_TRANSLATE_NOOP("Links", "Redis"),
    NAME: QT_TRANSLATE_NOOP("Links", "Name taken"),
    BACKUP: QT_TRANSLATE_NOOP("Links", "Back-up"),
}
# What a lost link means at the machines, and its tone.
_AWAY = {
    "database": (
        QT_TRANSLATE_NOOP("Links", "machines keep running, the lists stand still"),
        Tone.ALARM,
    ),
    "redis": (QT_TRANSLATE_NOOP("Links", "slower, nothing lost"), Tone.HELD),
}


def link_name(link: Link) -> str:
    """The link's name for people."""
    return _tr(_NAMES[link.name])


def link_status(link: Link, now: int) -> Connection:
    """● Database, ● Standalone, ● Redis away 00:42 · slower, nothing lost."""
    if link.state == STANDALONE:
        return Connection(_tr("This PC only"))
    if link.name == BACKUP:
        return Connection(_tr("No back-up of the last day"), Tone.HELD)
    if link.state != OFFLINE:
        return Connection(link_name(link))
    if link.name == NAME:
        return Connection(_tr("Name taken by another station · nothing is run here"), Tone.ALARM)
    meaning, tone = _AWAY[link.name]
    time = formatting.lasted(link.since, now)
    away = _tr("{name} away {time}").format(name=link_name(link), time=time)
    return Connection(f"{away} · {_tr(meaning)}", tone)


def _tr(english: object) -> str:
    return QCoreApplication.translate("Links", str(english))
