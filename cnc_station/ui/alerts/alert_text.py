"""Alerts in words and colours, the same in the bell, in banners and in the list."""

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.engine.views.alerts import AlertRow
from cnc_station.ui import formatting
from cnc_station.ui.theme import Tone

_TONES = {
    Severity.INFO: Tone.OPERATOR,
    Severity.WARNING: Tone.HELD,
    Severity.CRITICAL: Tone.ALARM,
}
_ICONS = {
    Severity.INFO: "bell",
    Severity.WARNING: "triangle-alert",
    Severity.CRITICAL: "circle-alert",
}


def tone_of_severity(severity: Severity) -> Tone:
    """The colour of an alert."""
    return _TONES[severity]


def icon_of_severity(severity: Severity) -> str:
    """The icon of an alert."""
    return _ICONS[severity]


def severity_word(severity: Severity) -> str:
    """`Critical`, `Warning`, `Information`."""
    return {
        Severity.INFO: _tr("Information"),
        Severity.WARNING: _tr("Warning"),
        Severity.CRITICAL: _tr("Critical"),
    }[severity]


def unseen(rows: Iterable[AlertRow]) -> list[AlertRow]:
    """The open alerts that nobody has acknowledged."""
    return [row for row in rows if row.ended_at is None and row.acknowledged_at is None]


def seen_by(row: AlertRow) -> str:
    """`seen by Anna 10:42`; "" if nobody has acknowledged it."""
    if row.acknowledged_at is None:
        return ""
    time = formatting.time_of_day(row.acknowledged_at, seconds=False)
    return _tr("seen by {who} {when}").format(who=row.acknowledged_by, when=time)


def bell_words(rows: Iterable[AlertRow]) -> str:
    """What the bell counts, in a sentence; `rows` are worst first."""
    waiting = unseen(rows)
    if not waiting:
        return _tr("No alert waits for anybody")
    if len(waiting) == 1:
        return _tr("1 alert: {title}").format(title=waiting[0].title)
    words = _tr("{n} alerts, the worst: {title}")
    return words.format(n=len(waiting), title=waiting[0].title)


def open_note(row: AlertRow, now: int) -> str:
    """The second line of an open alert: how bad, how long, what; without its subject, with which
    the title begins."""
    lasted = formatting.lasted(row.since, now)
    subject, _, _ = row.title.rpartition(": ")
    what = row.text.removeprefix(f"{subject} ")
    parts = (severity_word(row.severity), lasted, seen_by(row), what)
    return " · ".join(part for part in parts if part)


def over_note(row: AlertRow, now: int) -> str:
    """The second line of an alert that is over."""
    ended = formatting.moment(row.ended_at, now)
    over = _tr("over {when} after {span}").format(
        when=ended, span=formatting.duration(row.waited_s)
    )
    return " · ".join(part for part in (severity_word(row.severity), over, seen_by(row)) if part)


_JOB_KINDS = {AlertKind.JOB_INTERRUPTED, AlertKind.JOB_NEEDS_ATTENTION}
_PAGES = {
    AlertKind.STATION_LOST: "stations",
    AlertKind.SCHEDULE_OVERRUN: "schedules",
    AlertKind.SCHEDULE_MISSED: "schedules",
}


def is_about_job(row: AlertRow) -> bool:
    """Whether its remedy is on the page of jobs that need attention."""
    return row.kind in _JOB_KINDS


def page_of(row: AlertRow) -> str:
    """The page of an alert that is not about one machine or job."""
    if is_about_job(row):
        return "attention"
    return _PAGES.get(row.kind, "machines")


def _tr(english: str) -> str:
    return QCoreApplication.translate("Alerts", english)
