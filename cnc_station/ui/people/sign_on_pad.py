"""The sign-on pad: a name, then a PIN on large keys, a password, or a badge."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from cnc_station.engine.domain.accounts import LONGEST_SECRET, Credentials, Proof
from cnc_station.engine.domain.errors import CncStationError, Locked
from cnc_station.engine.views.accounts import Person
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.secret_field import SecretField
from cnc_station.ui.widgets.text import Note, Text

_DENSE, _TOUCH = (560, 560), (760, 700)
_GAP = 12
_COLUMNS = 2
_KEYS = "123456789←0"
_KEY_HEIGHT, _NAME_HEIGHT = 56, 52
_TICK_MS = 1_000
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SignOnPad(Dialog):
    """Signs on at the door of the window. `signed_on` carries the name."""

    signed_on = Signal(str)

    def __init__(
        self, context: PageContext, people: Sequence[Person], parent: QWidget | None
    ) -> None:
        title = self.tr("Who is here?")
        super().__init__(title, parent, modal=True)
        self._context = context
        self._person: Person | None = None
        self._left_s = 0.0
        self._badge = ""
        self._countdown = QTimer(self, interval=_TICK_MS)
        self._countdown.timeout.connect(self._tick)
        self.head = Text(title, Role.PAGE_TITLE)
        self.names = [Button(self._words(one), clicked=partial(self.choose, one)) for one in people]
        self.name_grid = self._grid(self.names)
        self.hint = Note(self.tr("Tap your name, or scan your badge."))
        self.secret = SecretField("", self.tr("PIN"))
        self.secret.setMaxLength(LONGEST_SECRET)
        self.secret.textEdited.connect(self.refresh)
        self.secret.returnPressed.connect(self.submit)
        self.keys = QWidget()
        self._make_keys()
        self.other = Button(self.tr("Somebody else"), quiet=True, clicked=self.choose_again)
        self.trouble = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        self.submit_button = PrimaryButton(self.tr("Sign on"), clicked=self.submit)
        self.cancel = self.cancel_button()
        self.acting = [self.submit_button, self.keys]
        foot = hbox(self.other, STRETCH, self.cancel, self.submit_button)
        parts = (self.head, self.hint, (self.name_grid, 1), self.secret, (self.keys, 1))
        vbox(*parts, self.trouble, foot, on=self, gap=_GAP, margins=16)
        self.choose_again()
        self.fit(_DENSE, _TOUCH)

    def _grid(self, names: Sequence[Button]) -> QWidget:
        inside = QWidget()
        grid = QGridLayout(inside)
        for place, name in enumerate(names):
            name.setMinimumHeight(_NAME_HEIGHT)
            grid.addWidget(name, place // _COLUMNS, place % _COLUMNS)
        grid.setRowStretch(len(names), 1)
        return scrolling(inside)

    def _make_keys(self) -> None:
        grid = QGridLayout(self.keys)
        for place, key in enumerate(_KEYS):
            button = Button(key, clicked=partial(self.press, key))
            button.setMinimumHeight(_KEY_HEIGHT)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field keeps it, for a keyboard
            if key == "←":
                button.setAccessibleName(self.tr("Delete the last digit"))
            grid.addWidget(button, place // 3, place % 3)

    def press(self, key: str) -> None:
        """A key of the pad."""
        text = self.secret.text()
        self.secret.setText(text[:-1] if key == "←" else text + key)
        self.refresh()

    @staticmethod
    def _words(person: Person) -> str:
        return f"{person.name} · {person.role}"

    def choose(self, person: Person) -> None:
        """A person signs on: with their PIN if they have one."""
        self._person = person
        has_pin = Proof.PIN in person.proofs
        self.head.setText(person.name)
        self.hint.setText(
            self.tr("Enter your PIN.") if has_pin else self.tr("Enter your password.")
        )
        self._show(asking=True, keys=has_pin)
        self.secret.setFocus()
        self.refresh()

    def choose_again(self) -> None:
        """Show the names. A badge that is scanned now goes into the hidden field."""
        self._person = None
        self.head.setText(self.tr("Who is here?"))
        self.hint.setText(self.tr("Tap your name, or scan your badge."))
        self.secret.clear()
        self.trouble.setText("")
        self._show(asking=False, keys=False)
        self.setFocus()
        self.refresh()

    def _show(self, *, asking: bool, keys: bool) -> None:
        self.name_grid.setVisible(not asking)
        self.keys.setVisible(keys)
        for part in (self.secret, self.other, self.submit_button):
            part.setVisible(asking)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Before a name is chosen, keys that end with Enter are those of a badge."""
        if self._person is not None or not (event.text() or event.key() in _ENTER):
            super().keyPressEvent(event)
            return
        if event.key() in _ENTER:
            badge, self._badge = self._badge, ""
            self.take_badge(badge)
        elif event.key() == Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        else:
            self._badge += event.text()

    def take_badge(self, badge: str) -> None:
        """Sign on whoever carries a badge."""
        if badge:
            self._sign_on(Credentials(Proof.BADGE, badge))

    def submit(self) -> None:
        """Sign on with what was typed."""
        if self._person is None or not self.submit_button.isEnabled():
            return
        proof = Proof.PIN if Proof.PIN in self._person.proofs else Proof.PASSWORD
        self._sign_on(Credentials(proof, self.secret.text(), self._person.name))

    def _sign_on(self, credentials: Credentials) -> None:
        self.trouble.setText("")
        self.do(self._context.operations, self._ask(credentials), self.tr("Signing on…"))

    async def _ask(self, credentials: Credentials) -> None:
        signed_on = await self._context.door.sign_on(credentials)
        self.signed_on.emit(signed_on.account.account.name)

    def complain(self, error: CncStationError) -> None:
        self.secret.clear()
        self.trouble.setText(str(error))
        if isinstance(error, Locked):
            self._left_s = error.retry_after_s
            self._countdown.start()
            self._tick()

    def _tick(self) -> None:
        """Count down until the next attempt is looked at."""
        if self._left_s <= 0:
            self._countdown.stop()
            self.trouble.setText("")
        else:
            words = self.tr("Too many wrong attempts. Wait {s} s.")
            self.trouble.setText(words.format(s=round(self._left_s + 0.5)))
        self._left_s -= _TICK_MS / 1000
        self.refresh()

    def refresh(self) -> None:
        waiting = self._countdown.isActive()
        self.submit_button.setEnabled(bool(self.secret.text()) and not waiting)
