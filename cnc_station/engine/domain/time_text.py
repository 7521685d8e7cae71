"""Times as people read them at the machine: short, with a day only if it is not today; and as
programs read them."""

from datetime import UTC, datetime, tzinfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LAST_MS = 253_402_214_400_000  # a day before the year 10000, the end of `datetime`


def local(at: int, zone: tzinfo | None = None) -> datetime:
    """Return a time (ms) in `zone`, or in the zone of this computer."""
    moment = datetime.fromtimestamp(min(max(at, 86_400_000), _LAST_MS) / 1000, zone)
    return moment.replace(tzinfo=None)


def rfc3339(at: int | None) -> str | None:
    """Return `2026-11-30T10:00:00.000Z`; None for None."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(at: int, now: int, zone: tzinfo | None = None) -> str:
    """Return `15:40` today, `Mon 15:40` within six days, `12 Mar 15:40` or `12 Mar 2027`."""
    there, here = local(at, zone), local(now, zone)
    time = f"{there.hour:02}:{there.minute:02}"
    days = (there.date() - here.date()).days
    if days == 0:
        return time
    if abs(days) <= 6:
        return f"{DAYS[there.weekday()]} {time}"
    date = f"{there.day} {_MONTHS[there.month - 1]}"
    return f"{date} {time}" if there.year == here.year else f"{date} {there.year}"


def countdown(ms: int) -> str:
    """Return `00:42`, or `1:05:00` from an hour on; `00:00` when nothing is left."""
    minutes, seconds = divmod(max(0, -(-ms // 1000)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def midnight(now: int, zone: tzinfo | None = None) -> int:
    """Return when the day of `now` began (ms)."""
    day = datetime.fromtimestamp(now / 1000, zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return int(day.timestamp() * 1000)


def span(ms: int) -> str:
    """Return `40 s`, `10 min`, `2 h 5 min` or `3 days`: whole units, rounded down."""
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
