"""An alert rule as one sentence, as a person would say it."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.alert_rules import DAY_MIN, AlertRule, Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.ui import formatting

_HOUR_S, _MINUTE_S = 3600, 60
_WEEK = range(7)
_MOST_EXCEPTED = 2


def kind_words() -> Mapping[AlertKind, str]:
    """What each kind of alert is about, as the end of "When …"."""
    return {
        AlertKind.MACHINE_ALARM: _tr("a machine is in alarm"),
        AlertKind.MACHINE_UNREACHABLE: _tr("a machine does not answer"),
        AlertKind.MACHINE_WAITING: _tr("a machine waits for a person"),
        AlertKind.JOB_INTERRUPTED: _tr("a job was interrupted"),
        AlertKind.JOB_NEEDS_ATTENTION: _tr("a job has failed"),
        AlertKind.STATION_LOST: _tr("a station does not respond"),
        AlertKind.SCHEDULE_OVERRUN: _tr("a schedule's job takes too long"),
        AlertKind.SCHEDULE_MISSED: _tr("a schedule missed a run"),
        AlertKind.DELIVERY_DEAD: _tr("deliveries to an endpoint failed"),
    }


def kind_names() -> Mapping[AlertKind, str]:
    """A short name for each kind."""
    return {
        AlertKind.MACHINE_ALARM: _tr("Machine in alarm"),
        AlertKind.MACHINE_UNREACHABLE: _tr("Machine not reachable"),
        AlertKind.MACHINE_WAITING: _tr("Machine waits for a person"),
        AlertKind.JOB_INTERRUPTED: _tr("Job interrupted"),
        AlertKind.JOB_NEEDS_ATTENTION: _tr("Job failed"),
        AlertKind.STATION_LOST: _tr("Station not responding"),
        AlertKind.SCHEDULE_OVERRUN: _tr("Schedule takes too long"),
        AlertKind.SCHEDULE_MISSED: _tr("Schedule missed"),
        AlertKind.DELIVERY_DEAD: _tr("Deliveries failed"),
    }


def channel_words(rule: AlertRule, endpoint: str | None) -> str:
    """Where a rule tells."""
    if rule.channel is Channel.ENDPOINT:
        return _tr("message to {endpoint}").format(endpoint=endpoint or _tr("a deleted endpoint"))
    return channel_names()[rule.channel]


def channel_names() -> Mapping[Channel, str]:
    """The channels of the stations themselves."""
    return {
        Channel.WINDOW: _tr("banner in the window"),
        Channel.DESKTOP: _tr("message on the desktop"),
        Channel.SOUND: _tr("sound at the stations"),
    }


def span_words(seconds: float) -> str:
    """`90 s`, `10 min`, `2 h`, `1 h 30 min`."""
    whole = round(seconds)
    if whole % _MINUTE_S:
        return _tr("{n} s").format(n=whole) if whole < 600 else formatting.duration(seconds)
    hours, minutes = divmod(whole // _MINUTE_S, 60)
    parts = [_tr("{n} h").format(n=hours)] if hours else []
    if minutes or not hours:
        parts.append(_tr("{n} min").format(n=minutes))
    return " ".join(parts)


def clock(minute: int) -> str:
    """`06:30` of a minute of the day."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def quiet_words(quiet: QuietHours) -> str:
    """`not 20:00-06:00`, with weekdays if it has some: those on which it begins."""
    if quiet.start_min == quiet.end_min:
        words = _tr("not all day") if quiet.start_min == 0 else _tr("not for 24 h from {start}")
    else:
        words = _tr("not {start}\N{EN DASH}{end}")
    words = words.format(start=clock(quiet.start_min), end=clock(quiet.end_min % DAY_MIN))
    if quiet.weekdays and len(quiet.weekdays) < len(_WEEK):
        days = ", ".join(weekday_names()[day] for day in quiet.weekdays)
        words = _tr("{hours} from {days}").format(hours=words, days=days)
    return words


def weekday_names() -> tuple[str, ...]:
    """Monday to Sunday, short."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return tuple(QCoreApplication.translate("Words", name) for name in names)


def severity_words() -> Mapping[Severity, str]:
    """Which alerts a rule with this least severity is about."""
    return {
        Severity.INFO: _tr("all alerts"),
        Severity.WARNING: _tr("warnings and critical alerts"),
        Severity.CRITICAL: _tr("critical alerts only"),
    }


def rule_words(rule: AlertRule, endpoint: str | None, machine: str | None) -> str:
    """`When a machine waits for a person for 10 min: e-mail …, again every 15 min until
    acknowledged, not 20:00-06:00.` `machine` is the name of the rule's one."""
    then = [channel_words(rule, endpoint)]
    if rule.repeat_s:
        words = _tr("again every {span} until acknowledged")
        then.append(words.format(span=span_words(rule.repeat_s)))
    if rule.tells_end:
        then.append(_tr("and when it is over"))
    if rule.quiet is not None:
        then.append(quiet_words(rule.quiet))
        if rule.critical_breaks_quiet and rule.least_severity is not Severity.CRITICAL:
            then.append(_tr("critical alerts always"))
    when = formatting.sentence(_condition(rule, machine))
    return f"{when}: {', '.join(then)}."


def _subject(rule: AlertRule) -> str:
    """What a rule is about: its kinds, or those that it is not about where they are fewer."""
    words = kind_words()
    chosen = [words[kind] for kind in AlertKind if kind in rule.kinds]
    others = [words[kind] for kind in AlertKind if kind not in rule.kinds]
    if not chosen or not others:
        return _tr("anything asks for a person")
    if len(others) <= _MOST_EXCEPTED:
        return _tr("anything asks for a person, unless {others}").format(others=_either(others))
    return _either(chosen)


def _either(words: Sequence[str]) -> str:
    first = ", ".join(words[:-1])
    return _tr("{first} or {last}").format(first=first, last=words[-1]) if first else words[-1]


def _condition(rule: AlertRule, machine: str | None) -> str:
    what = _subject(rule)
    if rule.machine_id is not None:
        name = machine or _tr("a deleted machine")
        what = _tr("{what} at {machine}").format(what=what, machine=name)
    if rule.tenant is not None:
        what = _tr("{what} of tenant {tenant}").format(what=what, tenant=rule.tenant)
    if rule.after_s:
        what = _tr("{what} for {span}").format(what=what, span=span_words(rule.after_s))
    if rule.least_severity is Severity.CRITICAL:
        what = _tr("{what} and it is critical").format(what=what)
    return _tr("when {what}").format(what=what)


def _tr(english: str) -> str:
    return QCoreApplication.translate("AlertRules", english)
