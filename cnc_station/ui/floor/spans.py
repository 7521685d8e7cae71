"""How far back the charts look, and in what steps: by the age of the oldest data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QCoreApplication

from cnc_station.ui import formatting

_POINTS = 60


@dataclass(frozen=True, slots=True)
class Span:
    """`seconds` back for states and lines; `bars` buckets of `bar_s` seconds for completed jobs; a
    tick of the time axis every `tick_s` seconds."""

    seconds: int
    bar_s: int
    bars: int
    tick_s: int

    @property
    def step_ms(self) -> int:
        """The bucket of a line."""
        return self.seconds * 1000 // _POINTS

    @property
    def refresh_ms(self) -> int:
        """How often time alone moves the charts noticeably."""
        return min(10_000, max(2000, self.seconds * 1000 // 150))

    @property
    def machines_title(self) -> str:
        title = QCoreApplication.translate("Floor", "Machines, last {span}")
        return title.format(span=_long(self.seconds))

    @property
    def completed_title(self) -> str:
        if self.bar_s == 3600:
            return QCoreApplication.translate("Floor", "Completed an hour")
        if self.bar_s == 60:
            return QCoreApplication.translate("Floor", "Completed a minute")
        if self.bar_s < 60:
            title = QCoreApplication.translate("Floor", "Completed per {n} s")
            return title.format(n=self.bar_s)
        title = QCoreApplication.translate("Floor", "Completed per {n} min")
        return title.format(n=self.bar_s // 60)

    def bar_label(self, at: int, place: int) -> str:
        """The label of the bar that begins at `at` (ms), the `place`th: whole hours, or every other
        bar's time in minutes."""
        if self.bar_s == 3600:
            return formatting.time_of_day(at)[:2]
        told = at % 60_000 == 0 and (self.bar_s < 60 or place % 2 == 0)
        return formatting.time_of_day(at, seconds=False) if told else ""


SPANS = (
    Span(120, 15, 8, 60),
    Span(300, 30, 10, 60),
    Span(600, 60, 10, 120),
    Span(1800, 180, 10, 600),
    Span(3600, 300, 12, 900),
    Span(7200, 600, 12, 1800),
    Span(14400, 3600, 8, 3600),
)


def _long(seconds: int) -> str:
    if seconds <= 3600:
        return QCoreApplication.translate("Floor", "{n} minutes").format(n=seconds // 60)
    return QCoreApplication.translate("Floor", "{n} hours").format(n=seconds // 3600)


def span_for(age_s: float) -> Span:
    """The shortest span that shows data of this age, or the longest there is."""
    return next((span for span in SPANS if span.seconds >= age_s), SPANS[-1])


def _offset_ms(at: int) -> int:
    """This PC's offset from UTC."""
    offset = datetime.fromtimestamp(at / 1000, tz=UTC).astimezone().utcoffset()
    return (offset or timedelta()) // timedelta(milliseconds=1)


def bars_since(span: Span, now: int) -> int:
    """Where the first bar begins (ms): at a round time of this PC's clock."""
    step = span.bar_s * 1000
    offset = _offset_ms(now)
    return (now + offset) // step * step - offset - (span.bars - 1) * step


def ticks(span: Span, since: int, until: int) -> Iterator[int]:
    """The round times (ms) between two times at which the axis is labelled."""
    step = span.tick_s * 1000
    offset = _offset_ms(until)
    at = -(-(since + offset) // step) * step - offset
    while at <= until:
        yield at
        at += step
