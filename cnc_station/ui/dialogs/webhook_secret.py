"""The secret of an endpoint: made or typed, shown once, and copied."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from cnc_station.engine.commands import RotateWebhookSecret
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.webhooks import MOST_SECRET
from cnc_station.engine.views.webhooks import NewWebhook
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.dialogs.format_fields import format_words
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.secret_field import SecretField
from cnc_station.ui.widgets.text import Note, Text

OVERLAP_S = 86_400.0
_GAP = 16
_DENSE, _TOUCH = (560, 300), (640, 380)


class SecretDialog(Dialog):
    """Shows a new endpoint's `secret`; without one, offers another: one that is made here for a
    webhook, one that the receiver has made for the other formats."""

    def __init__(
        self,
        context: PageContext,
        parent: QWidget | None,
        webhook_id: int,
        kind: MessageFormat = MessageFormat.WEBHOOK,
        secret: str = "",
    ) -> None:
        words = format_words()[kind]
        title = self.tr("The secret of the endpoint") if secret else self.tr("Another secret")
        super().__init__(title, parent, modal=True)
        self._context = context
        self._webhook_id = webhook_id
        self._made_here = kind is MessageFormat.WEBHOOK
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
        self.typed = SecretField("", words.secret)
        self.typed.setMaxLength(MOST_SECRET)
        self.field = Field(words.secret, self.typed)
        self.trouble = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        make = self.tr("Make a new secret") if self._made_here else self.tr("Save")
        self.make_button = PrimaryButton(make, clicked=self.make)
        self.cancel = self.cancel_button()
        self.close_button = PrimaryButton(self.tr("I have stored it"), clicked=self.accept)
        self.acting = [self.make_button]
        foot = hbox((self.trouble, 1), self.cancel, self.make_button, self.close_button)
        head = Text(title, Role.PAGE_TITLE)
        parts = (head, self.words, self.line, self.once, self.field)
        vbox(*parts, STRETCH, foot, on=self, gap=_GAP, margins=_GAP)
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
            if self._made_here
            else self.tr("Enter what the receiver has made. It is used from the next delivery on.")
        )
        self._arrange(made=False)

    def make(self) -> None:
        """Make a secret and show it, or store the one that is typed and close."""
        self.trouble.setText("")
        if self._made_here:
            self.make_button.setEnabled(False)
            self._context.operations.run(self._make())
        else:
            self.do(self._context.operations, self._rotate(self.typed.text()), self.tr("Saving…"))

    async def _rotate(self, secret: str | None) -> NewWebhook:
        return await self._context.door.execute(
            RotateWebhookSecret(self._webhook_id, secret, OVERLAP_S)
        )

    async def _make(self) -> None:
        until = self._context.now() + round(OVERLAP_S * 1000)
        try:
            made = await self._rotate(None)
        except CncStationError as error:
            self.complain(error)
            self.make_button.setEnabled(True)
            return
        time = formatting.moment(until, self._context.now())
        stays = self.tr("The former secret stays valid until {time}.").format(time=time)
        self._show(made.secret or "", stays)

    def _show(self, secret: str, words: str) -> None:
        self.words.setText(words)
        self.secret.setText(secret)
        self._arrange(made=True)
        self.words.setVisible(bool(words))
        self.copy_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self, *, made: bool) -> None:
        for shown in (self.line, self.once, self.close_button):
            shown.setVisible(made)
        for offered in (self.cancel, self.make_button):
            offered.setVisible(not made)
        self.field.setVisible(not made and not self._made_here)

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.secret.text())
        self.copy_button.setText(self.tr("Copied"))

    def complain(self, error: CncStationError) -> None:
        self.trouble.setText(str(error))
