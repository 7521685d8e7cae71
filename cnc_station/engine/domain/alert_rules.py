"""Alert rules: who is told of an alert, when, and how often.

Telling, reminding and escalating are one thing: a rule tells an alert that has lasted for `after_s`
and that nobody has acknowledged, and again every `repeat_s`. A second rule with a longer `after_s`
and another endpoint escalates it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cnc_station.engine.domain import checks, cron
from cnc_station.engine.domain.alerts import Alert, AlertKind, AlertState, Severity
from cnc_station.engine.domain.errors import FieldError, InvalidInput

LONGEST_S = 30 * 86_400.0
SHORTEST_REPEAT_S = 10.0
DAY_MIN = 24 * 60
_DAY = dt.timedelta(days=1)
_MINUTE = dt.timedelta(minutes=1)
_DAYS = 7


class Channel(StrEnum):
    """How a rule tells an alert."""

    WINDOW = "window"
    DESKTOP = "desktop"
    SOUND = "sound"
    ENDPOINT = "endpoint"  # of a webhook: mail, chat, phone or another program


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The time of the day, in minutes of the local day, in which a rule is quiet; the whole day if
    both are equal. `weekdays` are those on which it begins (0 is Monday); empty: all."""

    start_min: int
    end_min: int
    time_zone: str
    weekdays: tuple[int, ...] = ()

    def until(self, at: int) -> int | None:
        """Return when the quiet hours end in which `at` (ms) lies; None outside them.

        Every moment at which a clock on the wall shows a quiet time is quiet, also where the clock
        changes: a time that comes twice is quiet both times, and quiet hours whose end is skipped
        end at the change.
        """
        zone = cron.zone(self.time_zone)
        end: int | None = None
        for _ in range(_DAYS + 1):  # quiet hours may follow each other
            begin = at if end is None else end
            today = dt.datetime.combine(cron.local_time(begin, zone), dt.time())
            ends = [
                period[1]
                for day in (today - _DAY, today)
                if (period := self._period(day, zone)) and period[0] <= begin < period[1]
            ]
            if not ends:
                break
            end = max(ends)
        return end

    def _period(self, day: dt.datetime, zone: dt.tzinfo) -> tuple[int, int] | None:
        """Return when the quiet hours begin and end that begin on this day."""
        if self.weekdays and day.weekday() not in self.weekdays:
            return None
        last = self.end_min if self.end_min > self.start_min else self.end_min + DAY_MIN
        start, end = day + self.start_min * _MINUTE, day + last * _MINUTE
        return cron.first_instant(start, zone), cron.last_instant(end, zone)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule. It is about alerts of `kinds` (empty: all) of at least `least_severity`, of one
    machine or tenant (None: of all).

    `repeat_s` 0: it tells an alert once. In its quiet hours it tells nothing, critical alerts
    excepted with `critical_breaks_quiet`; what still lasts at their end is told then. With
    `tells_end` it also tells that an alert is over. `webhook_id` belongs to the channel ENDPOINT,
    `sounds` (file names by severity) to SOUND; a severity without one has the sound of the program.
    """

    name: str
    channel: Channel
    kinds: tuple[AlertKind, ...] = ()
    least_severity: Severity = Severity.WARNING
    machine_id: int | None = None
    tenant: str | None = None
    after_s: float = 0.0
    repeat_s: float = 0.0
    webhook_id: int | None = None
    quiet: QuietHours | None = None
    critical_breaks_quiet: bool = True
    tells_end: bool = False
    enabled: bool = True
    sounds: Mapping[Severity, str] = field(default_factory=dict)

    def concerns(self, alert: Alert) -> bool:
        """Whether it is about this alert."""
        cause = alert.cause
        return (
            (not self.kinds or cause.kind in self.kinds)
            and cause.severity.rank >= self.least_severity.rank
            and self.machine_id in {None, cause.machine_id}
            and self.tenant in {None, cause.tenant}
        )

    def validated(self) -> "AlertRule":
        """Return it with each kind once. Raises InvalidInput with every invalid field."""
        if errors := tuple(_errors(self)):
            raise InvalidInput(*errors)
        return replace(
            self,
            name=self.name.strip(),
            channel=Channel(self.channel),
            kinds=tuple(kind for kind in AlertKind if kind in self.kinds),
            least_severity=Severity(self.least_severity),
            quiet=self.quiet
            and replace(self.quiet, weekdays=tuple(sorted(set(self.quiet.weekdays)))),
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What a rule has told of an alert: how often, and when last (ms)."""

    sent: int = 0
    sent_at: int | None = None


UNTOLD = Step()


def due(rule: AlertRule, alert: Alert, step: Step, now: int) -> int | None:
    """Return when a rule tells an alert next (ms, not before `now`); None: never, as far as is
    known now."""
    at = _planned(rule, alert, step, now) if rule.enabled else None
    if at is None:
        return None
    at = max(at, now)
    critical = alert.cause.severity is Severity.CRITICAL
    if rule.quiet is None or (critical and rule.critical_breaks_quiet):
        return at
    return rule.quiet.until(at) or at


def _planned(rule: AlertRule, alert: Alert, step: Step, now: int) -> int | None:
    if alert.ended_at is not None:
        return now if rule.tells_end and step.sent else None
    if alert.acknowledged_at is not None or not rule.concerns(alert):
        return None
    if step.sent_at is None:
        return max(alert.raised_at, alert.cause.since + round(rule.after_s * 1000))
    return step.sent_at + round(rule.repeat_s * 1000) if rule.repeat_s else None


def state_of(alert: Alert, step: Step, *, told_by_others: bool) -> AlertState:
    """Return why a rule tells an alert now."""
    if alert.ended_at is not None:
        return AlertState.WITHDRAWN
    if step.sent:
        return AlertState.REMINDER
    return AlertState.ESCALATED if told_by_others else AlertState.RAISED


def _errors(rule: AlertRule) -> Iterable[FieldError]:
    yield from checks.text("name", rule.name, 80, wanted=True)
    for name, value, known in (
        ("channel", rule.channel, tuple(Channel)),
        ("least_severity", rule.least_severity, tuple(Severity)),
        *(("kinds", kind, tuple(AlertKind)) for kind in rule.kinds),
    ):
        if value not in known:
            yield FieldError(name, f"must be one of {', '.join(known)}")
    if rule.tenant is not None:
        yield from checks.text("tenant", rule.tenant, 80)
    for name, number in (("machine_id", rule.machine_id), ("webhook_id", rule.webhook_id)):
        if number is not None:
            yield from checks.whole(name, number, 1, checks.MOST_ID)
    if (rule.webhook_id is not None) != (rule.channel == Channel.ENDPOINT):
        yield FieldError("webhook_id", "must be given for an endpoint, and only then")
    yield from _time_errors(rule)
    yield from _quiet_errors(rule.quiet)
    yield from _sound_errors(rule.sounds)


def _time_errors(rule: AlertRule) -> Iterable[FieldError]:
    if not checks.number(rule.after_s) or not 0 <= rule.after_s <= LONGEST_S:
        yield FieldError("after_s", f"from 0 to {LONGEST_S:,.0f} s")
    repeat = rule.repeat_s
    if not checks.number(repeat) or not (repeat == 0 or SHORTEST_REPEAT_S <= repeat <= LONGEST_S):
        yield FieldError("repeat_s", f"0, or from {SHORTEST_REPEAT_S:.0f} to {LONGEST_S:,.0f} s")


def _quiet_errors(quiet: QuietHours | None) -> Iterable[FieldError]:
    if quiet is None:
        return
    for name in ("start_min", "end_min"):
        yield from checks.whole(f"quiet.{name}", getattr(quiet, name), 0, DAY_MIN - 1)
    days: Sequence[int] = quiet.weekdays
    if any(day not in range(_DAYS) for day in days):
        yield FieldError("quiet.weekdays", "from 0 (Monday) to 6")
    elif quiet.start_min == quiet.end_min and len(set(days)) in {0, _DAYS}:
        yield FieldError("quiet.weekdays", "must leave a time: this rule would never tell anything")
    try:
        cron.zone(quiet.time_zone)
    except ValueError as error:
        yield FieldError("quiet.time_zone", str(error))


def _sound_errors(sounds: Mapping[Severity, str]) -> Iterable[FieldError]:
    for severity, name in sounds.items():
        if severity not in tuple(Severity):
            yield FieldError("sounds", f"{severity!r} is not one of {', '.join(Severity)}")
        yield from checks.text("sounds", name, 200)
        if any(mark in name for mark in "/\\:") or name in {".", ".."}:
            yield FieldError("sounds", "must be the name of a file, without its folder")
