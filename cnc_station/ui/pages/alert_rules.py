"""The rules of alerts in the settings: each as a sentence, with its test and what came of it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QCheckBox, QWidget

from cnc_station.engine.commands import (
    CreateAlertRule,
    DeleteAlertRule,
    EditAlertRule,
    TestAlertRule,
)
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.notice import Notice, Topic
from cnc_station.engine.domain.transitions import ALERT_RULES_CHANGED
from cnc_station.engine.queries import DeliveryById, ListAlertRules, ListMachines, ListWebhooks
from cnc_station.engine.views import MachineRow
from cnc_station.engine.views.alerts import AlertRuleRow, SentAlert
from cnc_station.engine.views.webhooks import DeliveryDetail, DeliveryState, WebhookRow
from cnc_station.ui.alerts.rule_text import rule_words
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.alert_rule_form import AlertRuleForm
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import Card, rule
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.literal import caption
from cnc_station.ui.widgets.text import Note, Text

_ABOUT_RULES = {ALERT_RULES_CHANGED.name}


class AlertRulesCard(Card):
    """The rules in the order they were added. `lines` by rule id."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(title=self.tr("Rules of the shop"), note=" ")
        self._context = context
        self._machines: Sequence[MachineRow] = ()
        self._endpoints: Sequence[WebhookRow] = ()
        self._tested: dict[int, int] = {}  # delivery: its rule
        self.lines: dict[int, RuleLine] = {}
        self.refresh = CoalescedTask(context.operations, self._load, self)
        self._look = CoalescedTask(context.operations, self._look_at_deliveries, self)
        self.nothing = Note(
            self.tr(
                "No rule yet. Open alerts are counted by the bell, but nobody is told of them. A "
                "rule tells them: by a banner, a sound, a message on the desktop, or to an "
                "endpoint for mail, chat and phone."
            )
        )
        self.add_button = PrimaryButton(self.tr("Add rule…"), clicked=self.add)
        self._list = vbox(gap=10)
        left = Qt.AlignmentFlag.AlignLeft
        fill(self.body, 6, self.nothing, self._list, 8, (self.add_button, 0, left), STRETCH)
        context.bridge.changed.connect(self._follow)
        context.alerts.outcome.connect(self._show_outcome)

    def _follow(self, notice: Notice) -> None:
        if not self.isVisible():
            return
        if notice.tells_of(_ABOUT_RULES):
            self.refresh.request()
        if self._tested and notice.tells_of({Topic.DELIVERIES_TRIED}):
            self._look.request()

    async def _load(self) -> None:
        door = self._context.door
        rows = await door.ask(ListAlertRules())
        self._machines = await door.ask(ListMachines())
        self._endpoints = await door.ask(ListWebhooks())
        for rule_id in self.lines.keys() - {row.id for row in rows}:
            line = self.lines.pop(rule_id)
            self._list.removeWidget(line)
            line.hide()
            line.deleteLater()
        for row in rows:
            if row.id not in self.lines:
                self.lines[row.id] = self._made(row)
                self._list.addWidget(self.lines[row.id])
            self.lines[row.id].show_rule(row, self._words(row))
        self.nothing.setVisible(not rows)

    def _words(self, row: AlertRuleRow) -> str:
        machines = {machine.id: machine.spec.name for machine in self._machines}
        return rule_words(row.rule, row.endpoint, machines.get(row.rule.machine_id or 0))

    def _made(self, row: AlertRuleRow) -> "RuleLine":
        line = RuleLine(row)
        line.test.clicked.connect(partial(self._run, self._test, line))
        line.edit.clicked.connect(partial(self.open_form, line))
        line.remove.clicked.connect(partial(self._run, self._remove, line))
        line.enabled.clicked.connect(partial(self._run, self._enable, line))
        return line

    def _run(self, work: Any, line: "RuleLine", _checked: bool = False) -> None:
        self._context.operations.run(work(line))

    def add(self) -> AlertRuleForm:
        """Open the form for a new rule."""
        form = AlertRuleForm(self._context, self, self._machines, self._endpoints)
        form.open()
        return form

    def open_form(self, line: "RuleLine") -> AlertRuleForm:
        """Open the form of a rule."""
        form = AlertRuleForm(self._context, self, self._machines, self._endpoints, line.row)
        form.open()
        return form

    async def _enable(self, line: "RuleLine") -> None:
        row, on = line.row, line.enabled.isChecked()
        changed = replace(row.rule, enabled=on)
        try:
            await self._context.door.execute(EditAlertRule(row.id, changed, row.version))
        finally:
            self.refresh.request()

    async def _remove(self, line: "RuleLine") -> None:
        await self._context.door.execute(DeleteAlertRule(line.row.id))
        words = self.tr("{name} removed").format(name=line.row.rule.name)
        self._context.operations.say(words, partial(self._add_again, line.row))

    def _add_again(self, row: AlertRuleRow) -> None:
        self._context.operations.run(self._context.door.execute(CreateAlertRule(row.rule)))

    async def _test(self, line: "RuleLine") -> None:
        line.show_outcome(self.tr("Testing…"))
        try:
            sent = await self._context.door.execute(TestAlertRule(line.row.id))
        except CncStationError as error:
            line.show_outcome(str(error), Ink.ALARM)
            return
        if sent.error:
            line.show_outcome(sent.error, Ink.ALARM)
        elif sent.delivery_id is not None:
            self._tested[sent.delivery_id] = line.row.id
            line.show_outcome(self.tr("Sending…"))
            self._look.request()

    def _show_outcome(self, sent: SentAlert, why_not: str) -> None:
        """Show what came of a test at this station."""
        if sent.rule_id in self.lines and not sent.message.alert_id:
            done = self.tr("Test: told at this station.")
            ink = Ink.ALARM if why_not else Ink.RUNNING
            self.lines[sent.rule_id].show_outcome(why_not or done, ink)

    async def _look_at_deliveries(self) -> None:
        for delivery_id, rule_id in list(self._tested.items()):
            detail = await self._context.door.ask(DeliveryById(delivery_id))
            line = self.lines.get(rule_id)
            if detail is None or line is None:
                del self._tested[delivery_id]
                continue
            line.show_outcome(*delivery_outcome(detail))
            if detail.row.state is not DeliveryState.PENDING:
                del self._tested[delivery_id]


class RuleLine(QWidget):
    """One rule: switch, sentence, buttons, what it can't do now, and what came of its test."""

    def __init__(self, row: AlertRuleRow) -> None:
        super().__init__()
        self.row = row
        self.enabled = QCheckBox()
        self.words = Text("", Role.BODY, wrap=True)
        self.fault = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        self.outcome = Text("", Role.NOTE, wrap=True)
        self.test = Button(self.tr("Test"))
        self.edit = Button(self.tr("Edit…"))
        self.remove = Button(self.tr("Remove"), quiet=True)
        gap = theme().metrics.gap
        head = hbox((self.enabled, 1), self.test, self.edit, self.remove, gap=gap)
        vbox(head, self.words, self.fault, self.outcome, rule(), on=self, gap=4)
        self.show_outcome("")

    def show_rule(self, row: AlertRuleRow, words: str) -> None:
        self.row = row
        name = row.rule.name
        self.enabled.setText(caption(name))
        self.enabled.setChecked(row.rule.enabled)
        self.enabled.setAccessibleName(self.tr("{name}: in force").format(name=name))
        for button in (self.test, self.edit, self.remove):
            button.setAccessibleName(f"{button.text()}: {name}")
        self.words.setText(words)
        self.words.set_ink(Ink.TEXT if row.rule.enabled else Ink.MUTED)
        self.fault.setText(row.fault)
        self.fault.setVisible(bool(row.fault))

    def show_outcome(self, words: str, ink: Ink = Ink.MUTED) -> None:
        self.outcome.setText(words)
        self.outcome.set_ink(ink)
        self.outcome.setVisible(bool(words))


def delivery_outcome(detail: DeliveryDetail) -> tuple[str, Ink]:
    """What came of a message to an endpoint so far, and its ink."""
    last = detail.attempts[-1] if detail.attempts else None
    if detail.row.state is DeliveryState.DELIVERED:
        words = _tr("Test: accepted after {s:.1f} s.")
        return words.format(s=last.duration_s if last else 0.0), Ink.RUNNING
    if last is None:
        return _tr("Test: waits to be sent…"), Ink.MUTED
    why = last.error or _tr("it answered {status}").format(status=last.status)
    if detail.row.state is DeliveryState.DEAD:
        return _tr("Test: not accepted, {why}.").format(why=why.rstrip(".")), Ink.ALARM
    return _tr("Test: not accepted yet, {why}. It is tried again.").format(why=why), Ink.HELD


def _tr(english: str) -> str:
    return QCoreApplication.translate("AlertRules", english)
