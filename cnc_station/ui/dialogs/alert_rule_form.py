"""The form of an alert rule, with the rule in words above its buttons."""

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from PySide6.QtCore import QTime, QTimeZone, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QTimeEdit,
    QVBoxLayout,
    QWidget,
)

from cnc_station.engine.commands import CreateAlertRule, EditAlertRule
from cnc_station.engine.domain.alert_rules import AlertRule, Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.views import MachineRow
from cnc_station.engine.views.alerts import AlertRuleRow
from cnc_station.engine.views.webhooks import WebhookRow
from cnc_station.ui.alerts.rule_text import (
    channel_names,
    kind_names,
    rule_words,
    severity_words,
    weekday_names,
)
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.formatting import duration, sentence
from cnc_station.ui.models.job_draft import seconds
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Role, theme
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import one_line
from cnc_station.ui.widgets.text import Text

_DENSE, _TOUCH = (860, 820), (960, 980)
_KIND_COLUMNS = 3
_WORD_LINES, _ABOVE_BUTTONS = 2, 2
_PAD = 10
_SPANS = ("after_s", "repeat_s")
_HOUR_MIN = 60
_EVENING, _MORNING = 20 * _HOUR_MIN, 6 * _HOUR_MIN


class AlertRuleForm(FormDialog):
    """Adds a rule, or changes `row`. `saved(rule id)` when it is stored."""

    saved = Signal(int)

    def __init__(
        self,
        context: PageContext,
        parent: QWidget | None,
        machines: Sequence[MachineRow],
        endpoints: Sequence[WebhookRow],
        row: AlertRuleRow | None = None,
    ) -> None:
        title, save = self.tr("New rule"), self.tr("Add rule")
        if row is not None:
            title, save = self.tr("Edit {name}").format(name=row.rule.name), self.tr("Save")
        super().__init__(context.operations, title, save, parent)
        self._context = context
        self._row = row
        self._rule = row.rule if row else AlertRule("", Channel.WINDOW)
        self._machines = {machine.id: machine.spec.name for machine in machines}
        self._endpoints = {endpoint.id: endpoint.url for endpoint in endpoints}
        self._make_editors()
        self._place()
        self._fill(self._rule)
        self._listen()
        self._show_words()
        self.fit(_DENSE, _TOUCH)

    def _make_editors(self) -> None:
        self.name = QLineEdit()
        self.name.setMaxLength(80)
        self.kinds = {kind: FilterChip(words) for kind, words in kind_names().items()}
        self.severity = _choice({key: sentence(word) for key, word in severity_words().items()})
        self.machine = _choice({None: self.tr("All machines"), **self._machines})
        if self._rule.machine_id is not None and self._rule.machine_id not in self._machines:
            self.machine.addItem(self.tr("A deleted machine"), self._rule.machine_id)
        self.tenant = QLineEdit()
        self.tenant.setPlaceholderText(self.tr("all"))
        self.after, self.repeat = QLineEdit(), QLineEdit()
        self.after.setPlaceholderText(self.tr("at once"))
        self.repeat.setPlaceholderText(self.tr("tell it once"))
        channels = {channel: sentence(words) for channel, words in channel_names().items()}
        endpoints = {
            number: self.tr("Message to {endpoint}").format(endpoint=url)
            for number, url in self._endpoints.items()
        }
        self.channel = _choice({**channels, **endpoints})
        if self._rule.webhook_id is not None and self._rule.webhook_id not in endpoints:
            self.channel.addItem(self.tr("A deleted endpoint"), self._rule.webhook_id)
        self.quiet = QuietField()
        self.breaks_quiet = QCheckBox(self.tr("Tell critical alerts in the quiet hours too"))
        self.tells_end = QCheckBox(self.tr("Tell also when it is over"))
        self.words = Text("", Role.NOTE, wrap=True)

    def _place(self) -> None:
        tr = self.tr
        span = tr("mm:ss or h:mm:ss; a number alone is minutes")
        self.add("name", Field(tr("Name"), self.name, wanted=True), 0, 0)
        self.add("channel", Field(tr("How it is told"), self.channel), 0, 1)
        self.place(Text(tr("What it is about; none chosen: everything"), Role.NOTE), 1)
        chips = QWidget()
        grid = QGridLayout(chips)
        grid.setContentsMargins(0, 0, 0, 0)
        for place, chip in enumerate(self.kinds.values()):
            grid.addWidget(chip, place // _KIND_COLUMNS, place % _KIND_COLUMNS)
        grid.setHorizontalSpacing(theme().metrics.gap)
        grid.setColumnStretch(_KIND_COLUMNS, 1)
        self.place(chips, 2)
        self.add("least_severity", Field(tr("How bad"), self.severity), 3, 0)
        self.add("machine_id", Field(tr("Machine"), self.machine), 3, 1)
        self.add("after_s", Field(tr("When it has lasted for"), self.after, hint=span), 4, 0)
        self.add(
            "repeat_s",
            Field(tr("Again every, until acknowledged or over"), self.repeat, hint=span),
            4,
            1,
        )
        self.add("tenant", Field(tr("Customer"), self.tenant), 5, 0)
        self.add("tells_end", Field("", self.tells_end), 5, 1)
        self.add("quiet", Field(tr("Quiet hours"), self.quiet), 6, 0, 2)
        self.add("critical_breaks_quiet", Field("", self.breaks_quiet), 7, 0, 2)
        self.fill_below()
        self.words.setMinimumHeight(_WORD_LINES * self.words.fontMetrics().height())
        cast("QVBoxLayout", self.layout()).insertWidget(_ABOVE_BUTTONS, self.words)

    def _fill(self, rule: AlertRule) -> None:
        self.name.setText(rule.name)
        for kind, chip in self.kinds.items():
            chip.setChecked(kind in rule.kinds)
        _choose(self.severity, rule.least_severity)
        _choose(self.machine, rule.machine_id)
        _choose(self.channel, rule.webhook_id or rule.channel)
        self.tenant.setText(rule.tenant or "")
        self.after.setText(duration(rule.after_s) if rule.after_s else "")
        self.repeat.setText(duration(rule.repeat_s) if rule.repeat_s else "")
        self.quiet.set_value(rule.quiet)
        self.breaks_quiet.setChecked(rule.critical_breaks_quiet)
        self.tells_end.setChecked(rule.tells_end)

    def _listen(self) -> None:
        for combo in (self.severity, self.machine, self.channel):
            combo.currentIndexChanged.connect(self._show_words)
        for edit in (self.tenant, self.after, self.repeat):
            edit.textChanged.connect(self._show_words)
        for button in (*self.kinds.values(), self.breaks_quiet, self.tells_end):
            button.toggled.connect(self._show_words)
        self.quiet.changed.connect(self._show_words)

    def rule(self) -> AlertRule:
        """Return what is typed, with what the form does not show as it was. Raises
        InvalidInput."""
        chosen = self.channel.currentData()
        endpoint = chosen if isinstance(chosen, int) else None
        return replace(
            self._rule,
            name=self.name.text(),
            channel=Channel.ENDPOINT if endpoint is not None else Channel(chosen),
            webhook_id=endpoint,
            kinds=tuple(kind for kind, chip in self.kinds.items() if chip.isChecked()),
            least_severity=Severity(self.severity.currentData()),
            machine_id=self.machine.currentData(),
            tenant=self.tenant.text().strip() or None,
            after_s=_span("after_s", self.after.text()),
            repeat_s=_span("repeat_s", self.repeat.text()),
            quiet=self.quiet.value,
            critical_breaks_quiet=self.breaks_quiet.isChecked(),
            tells_end=self.tells_end.isChecked(),
        )

    def _show_words(self) -> None:
        """Show the rule in words, or what can't be read."""
        self.breaks_quiet.setEnabled(self.quiet.value is not None)
        try:
            rule = self.rule()
        except InvalidInput as error:
            for wrong in error.errors:
                self.fields[wrong.field].set_error(wrong.reason)
            return
        for name in _SPANS:
            self.fields[name].set_error("")
        endpoint = self._endpoints.get(rule.webhook_id or 0)
        machine = self._machines.get(rule.machine_id or 0)
        self.words.setText(rule_words(rule, endpoint, machine))

    def storing(self) -> Coroutine[Any, Any, Any]:
        return self._store(self.rule().validated())

    async def _store(self, rule: AlertRule) -> None:
        door = self._context.door
        if self._row is None:
            rule_id = await door.execute(CreateAlertRule(rule))
        else:
            rule_id = self._row.id
            await door.execute(EditAlertRule(rule_id, rule, self._row.version))
        self.saved.emit(rule_id)

    def tell(self, errors: Iterable[FieldError]) -> None:
        """Show the errors of the quiet hours at their one field."""
        of_parts = {"webhook_id": "channel", "kinds": "least_severity"}
        super().tell(
            FieldError(of_parts.get(head := error.field.split(".")[0], head), error.reason)
            for error in errors
        )


class QuietField(QWidget):
    """Quiet hours: off, or from a time to a time on chosen weekdays in a time zone."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.on = QCheckBox(self.tr("Quiet from"))
        self.start, self.end = QTimeEdit(), QTimeEdit()
        for edit, name in ((self.start, self.tr("From")), (self.end, self.tr("Until"))):
            edit.setDisplayFormat("HH:mm")
            edit.setAccessibleName(name)
            edit.lineEdit().setTextMargins(_PAD, 0, 0, 0)
            edit.timeChanged.connect(self.changed)
        zones = sorted(bytes(zone.data()).decode() for zone in QTimeZone.availableTimeZoneIds())
        self.zone = QComboBox()
        self.zone.setEditable(True)
        self.zone.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.zone.addItems([zone for zone in zones if "/" in zone or zone == "UTC"])
        self.zone.setAccessibleName(self.tr("Time zone"))
        self.days = [FilterChip(name) for name in weekday_names()]
        gap = theme().metrics.gap
        hours = hbox(
            self.on,
            self.start,
            Text(self.tr("until"), Role.NOTE),
            self.end,
            (self.zone, 1),
            gap=gap,
        )
        self._days = QWidget()
        hbox(Text(self.tr("beginning on"), Role.NOTE), *self.days, STRETCH, on=self._days, gap=gap)
        vbox(hours, self._days, on=self, gap=gap)
        self.on.toggled.connect(self._switch)
        self.zone.currentTextChanged.connect(self.changed)
        for chip in self.days:
            chip.toggled.connect(self.changed)
        self.set_value(None)

    @property
    def value(self) -> QuietHours | None:
        if not self.on.isChecked():
            return None
        days = tuple(place for place, chip in enumerate(self.days) if chip.isChecked())
        return QuietHours(
            _minute(self.start),
            _minute(self.end),
            self.zone.currentText().strip(),
            () if len(days) == len(self.days) else days,
        )

    def set_value(self, quiet: QuietHours | None) -> None:
        here = bytes(QTimeZone.systemTimeZoneId().data()).decode()
        shown = quiet or QuietHours(_EVENING, _MORNING, here)
        for edit, minute in ((self.start, shown.start_min), (self.end, shown.end_min)):
            edit.setTime(QTime(minute // _HOUR_MIN, minute % _HOUR_MIN))
        self.zone.setEditText(shown.time_zone)
        for place, chip in enumerate(self.days):
            chip.setChecked(not shown.weekdays or place in shown.weekdays)
        self.on.setChecked(quiet is not None)
        self._switch(on=quiet is not None)

    def _switch(self, on: bool) -> None:
        for part in (self.start, self.end, self.zone, self._days):
            part.setEnabled(on)
        self.changed.emit()


def _minute(edit: QTimeEdit) -> int:
    return edit.time().hour() * _HOUR_MIN + edit.time().minute()


def _span(name: str, text: str) -> float:
    """Read a duration; an empty text is none. Raises InvalidInput."""
    try:
        return seconds(text.strip()) if text.strip() else 0.0
    except ValueError as error:
        raise InvalidInput(FieldError(name, str(error))) from error


def _choice(words: Mapping[Any, str]) -> QComboBox:
    combo = QComboBox()
    for value, word in words.items():
        combo.addItem(one_line(word), value)
    return combo


def _choose(combo: QComboBox, value: AlertKind | Channel | Severity | int | None) -> None:
    """Choose a value; one that is not offered any more leaves the first one."""
    places = [combo.itemData(place) for place in range(combo.count())]
    combo.setCurrentIndex(places.index(value) if value in places else 0)
