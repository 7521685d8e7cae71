"""The secret of an endpoint: made, shown once, and copied."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from cnc_station.engine.commands import RotateWebhookSecret
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.text import Note, Text

OVERLAP_S = 86_400.0
_GAP = 16
_DENSE, _TOUCH = (560, 300), (640, 380)


class SecretDialog(Dialog):
    """Shows a new endpoint's `secret`; without one, offers to make another for the endpoint."""

    def __init__(
        self, context: PageContext, parent: QWidget | None, webhook_id: int, secret: str = ""
    ) -> None:
        title = self.tr("The secret of the endpoint") if secret else self.tr("New secret")
        super().__init__(title, parent, modal=True)
        self._context = context
        self._webhook_id = webhook_id
        self.words = Text("", Role.BODY, wrap=True)
        self.once = Note(
            self.tr(
                "It is shown only now. Copy it to the receiver, which checks the signature of each "
                "delivery with it."
            )
        )
        self.secret = QLineEdit()
        self.secret.setReadOnly(True)
        self.secret.setAccessibleName(self.tr("Secret"))
        self.copy_button = Button(self.tr("Copy"), clicked=self.copy)
        self.line = QWidget()
        hbox((self.secret, 1), self.copy_button, on=self.line, gap=8)
        self.trouble = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        self.make_button = PrimaryButton(self.tr("Make a new secret"), clicked=self.make)
        self.cancel = self.cancel_button()
        self.close_button = PrimaryButton(self.tr("I have stored it"), clicked=self.accept)
        self.acting = [self.make_button]
        foot = hbox((self.trouble, 1), self.cancel, self.make_button, self.close_button)
        head = Text(title, Role.PAGE_TITLE)
        vbox(head, self.words, self.line, self.once, STRETCH, foot, on=self, gap=_GAP, margins=_GAP)
        if secret:
            self._show(secret, "")
        else:
            self._offer()
        self.fit(_DENSE, _TOUCH)

    def _offer(self) -> None:
        self.words.setText(
            self.tr(
                "Every delivery is then signed with the new secret. For 24 hours it is signed with "
                "the former one too, so that the receiver can be changed meanwhile."
            )
        )
        self._arrange(made=False)

    def make(self) -> None:
        """Make a secret and show it."""
        self.trouble.setText("")
        self.make_button.setEnabled(False)
        self._context.operations.run(self._make())

    async def _make(self) -> None:
        until = self._context.now() + round(OVERLAP_S * 1000)
        try:
            made = await self._context.door.execute(
                RotateWebhookSecret(self._webhook_id, overlap_s=OVERLAP_S)
            )
        except CncStationError as error:
            self.complain(error)
            self.make_button.setEnabled(True)
            return
        time = formatting.moment(until, self._context.now())
        self._show(made.secret, self.tr("The former secret stays valid until {time}."), time)

    def _show(self, secret: str, words: str, time: str = "") -> None:
        self.words.setText(words.format(time=time))
        self.words.setVisible(bool(words))
        self.secret.setText(secret)
        self._arrange(made=True)
        self.copy_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self, *, made: bool) -> None:
        for shown in (self.line, self.once, self.close_button):
            shown.setVisible(made)
        for offered in (self.cancel, self.make_button):
            offered.setVisible(not made)

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.secret.text())
        self.copy_button.setText(self.tr("Copied"))

    def complain(self, error: CncStationError) -> None:
        self.trouble.setText(str(error))
