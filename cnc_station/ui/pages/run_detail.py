"""One run: what it did, what came of it, and its output."""

from collections.abc import Callable

from cnc_station.engine.domain.actions import JobAction, allowed
from cnc_station.engine.domain.states import LIVE_RUNS, RunState
from cnc_station.engine.views import JobRow, RunDetail, RunRow
from cnc_station.ui import formatting
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, DangerButton
from cnc_station.ui.widgets.card import Card, rule
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import ElidedLabel, Text

_MOST_ROOM = 1000  # against the stretch below it, which counts while there is no output
_MOST_WORDS = 240  # the rest is in the output, or in the job's history


class RunDetailCard(Card):
    """Shows a run; the page connects its buttons. Only a handler's run can be cancelled here: a
    machine is stopped where it is shown."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self._output = ""
        self._detailed: int | None = None  # the run whose output is known
        self._title = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(look_of(RunState.SUCCEEDED))
        self.facts = KeyValue()
        self.words = Text("", Role.NOTE, wrap=True, selectable=True)
        self.caption = Text("", Role.STRONG, wrap=True)
        self.output = CodeView()
        self.output.setAccessibleName(self.tr("Output"))
        self.cancel_button = DangerButton(self.tr("Cancel run"))
        self.retry_button = Button(self.tr("Retry job"))
        self.job_button = Button(self.tr("Show job"))
        head = hbox((self._title, 1), self._chip)
        buttons = hbox(self.job_button, self.retry_button, self.cancel_button, gap=8)
        fill(self.body, head, self.words, 8, self.facts, 8, rule(), self.caption)
        fill(self.body, (self.output, _MOST_ROOM), STRETCH, 8, buttons)

    def show_run(self, row: RunRow) -> None:
        """Show what the list knows, at once."""
        self._title.setText(row.job)
        self._chip.set_look(look_of(row.state))
        self._show_words(row)
        self.facts.set_pairs([pair for pair in self._pairs(row) if pair[1]])

    def _show_words(self, row: RunRow) -> None:
        """The error, or the result unless the output is the same text."""
        repeated = _without_spaces(row.result or "") == _without_spaces(self._output)
        result = "" if repeated or self._detailed != row.id else row.result
        words = row.error or result or ""
        self.words.setText(words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…")
        self.words.setVisible(bool(words))
        self.words.set_ink(Ink.ALARM if row.error else Ink.TEXT)

    def _caption(self, detail: RunDetail) -> str:
        size = detail.output.size
        if size:
            words = self.tr("Output so far, {size} bytes")
            words = words if detail.live else self.tr("Output, {size} bytes")
            return words.format(size=f"{size:,}")
        if not detail.row.handler:
            return self.tr("What the machine did is in the history of the job.")
        return self.tr("Nothing printed yet") if detail.live else self.tr("It printed nothing")

    def _pairs(self, row: RunRow) -> list[tuple[str, str]]:
        place = self.tr("Handler") if row.handler else self.tr("Machine")
        ended = "" if row.ended_at is None else formatting.moment(row.ended_at, self._now())
        return [
            (self.tr("Run"), self.tr("{id}, attempt {n}").format(id=row.id, n=row.attempt)),
            (place, row.machine),
            (self.tr("Station"), row.station),
            (self.tr("Started"), formatting.moment(row.started_at, self._now())),
            (self.tr("Ended"), ended),
            (self.tr("Took"), took(row, self._now())),
            (self.tr("Code"), "" if row.code is None else str(row.code)),
        ]

    def show_detail(self, detail: RunDetail, job: JobRow | None) -> None:
        """Show the rest. `job` is its job as it is now."""
        output = detail.output
        self.caption.setText(self._caption(detail))
        self.caption.set_ink(Ink.TEXT if output.size else Ink.MUTED)
        self.output.setVisible(bool(output.size))
        if output.text != self._output:
            self._output = output.text
            self.output.set_text(output.text)
            if detail.live:
                self.output.go_to(output.text.count("\n"))
        self._detailed = detail.row.id
        self.show_run(detail.row)
        can = allowed(job.state) if job is not None else frozenset()
        live = detail.row.state in LIVE_RUNS and bool(detail.row.handler)
        self.cancel_button.setVisible(live)
        self.cancel_button.setEnabled(JobAction.ABORT in can)
        self.retry_button.setVisible(JobAction.RETRY in can)
        self.job_button.setEnabled(job is not None)


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def took(row: RunRow, now: int) -> str:
    """How long a run took, or takes already; "" before its start."""
    if row.started_at is None:
        return ""
    end = row.ended_at
    if end is None:
        return formatting.duration((now - row.started_at) / 1000) if row.state in LIVE_RUNS else ""
    return formatting.duration((end - row.started_at) / 1000)
