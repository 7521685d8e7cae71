"""Who is signed on at the window: shown in the head, changed with one tap, ended after a while."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from cnc_station.engine.domain import permissions
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.accounts import Credentials, Proof
from cnc_station.engine.domain.errors import CncStationError, NotSignedOn
from cnc_station.engine.domain.notice import Notice, Topic
from cnc_station.engine.queries import StoredSettings, WhoIsHere, WhoMaySignOn
from cnc_station.engine.views.accounts import Here
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.people.sign_on_pad import SignOnPad
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.literal import set_tip

SIGN_OFF_MIN = "people.sign_off_min"
_DEFAULT_MIN = 10
_INPUT = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.TouchBegin,
        QEvent.Type.Wheel,
    }
)
_CHANGES = frozenset({t.ACCOUNTS_CHANGED.name, t.SETTINGS_CHANGED.name, Topic.ACCOUNTS_READ})


class PresentPerson(QObject):
    """Follows who is signed on. `changed` tells after each change; without accounts its button is
    hidden and everybody may do everything."""

    changed = Signal()

    def __init__(self, context: PageContext, button: Button, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._button = button
        self._window = window
        self.here: Here | None = None
        self.pad: SignOnPad | None = None
        self.rest = QTimer(self, singleShot=True)
        self.rest.timeout.connect(self.sign_off)
        button.clicked.connect(self.open_menu)
        button.hide()
        context.bridge.changed.connect(self._follow)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)
        self.look()

    def close(self) -> None:
        """Stop following."""
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        self.rest.stop()

    def may(self, asked: object) -> bool:
        """Whether whoever is here may ask for this command or query, or its type."""
        return self.here is None or permissions.needed_for(asked).name in self.here.rights

    def look(self) -> None:
        """Ask who is here, and show it."""
        self._context.operations.run(self._look())

    async def _look(self) -> None:
        try:
            here = await self._context.door.ask(WhoIsHere())
        except NotSignedOn:  # the account is gone
            await self._leave()
            return
        stored = await self._context.door.ask(StoredSettings())
        self._set_rest(stored)
        if here != self.here:
            self.here = here
            self._show(here)
            self.changed.emit()

    def _set_rest(self, stored: Mapping[str, Any]) -> None:
        minutes = stored.get(SIGN_OFF_MIN, _DEFAULT_MIN)
        known = isinstance(minutes, int | float) and not isinstance(minutes, bool)
        self.rest.setInterval(round((minutes if known else _DEFAULT_MIN) * 60_000))

    def _show(self, here: Here) -> None:
        self._button.setVisible(here.accounts)
        signed_on = here.accounts and here.signed_on
        words = f"{here.name} · {here.role}" if signed_on else self.tr("Sign on")
        self._button.setText(words)
        set_tip(self._button, self.tr("Who is signed on here") if signed_on else "")
        if signed_on and self.rest.interval() > 0:
            self.rest.start()
        else:
            self.rest.stop()

    def open_menu(self) -> None:
        """Switch to another person, or sign off; without one, sign on."""
        if self.here is None or not self.here.signed_on:
            self.open_pad()
            return
        menu = QMenu(self._window)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(self.tr("Switch person…"), self.open_pad)
        menu.addAction(self.tr("Sign off"), self.sign_off)
        menu.popup(self._button.mapToGlobal(self._button.rect().bottomLeft()))

    def open_pad(self) -> None:
        """Open the sign-on pad, once."""
        if self.pad is None:
            self._context.operations.run(self._open_pad())

    async def _open_pad(self) -> None:
        people = await self._context.door.ask(WhoMaySignOn())
        if self.pad is not None:
            return
        self.pad = SignOnPad(self._context, people, self._window)
        self.pad.signed_on.connect(self.look)
        self.pad.finished.connect(self._forget_pad)
        self.pad.open()

    def _forget_pad(self) -> None:
        self.pad = None

    def take_code(self, code: str) -> bool:
        """Take a scanned code as a badge unless it is that of a job. False without accounts."""
        if self.here is None or not self.here.accounts or code.strip("# ").isdecimal():
            return False
        self._context.operations.run(self._take_badge(code))
        return True

    async def _take_badge(self, code: str) -> None:
        try:
            signed_on = await self._context.door.sign_on(Credentials(Proof.BADGE, code))
        except CncStationError as error:
            self._context.operations.fail(str(error))
        else:
            name = signed_on.account.account.name
            self._context.operations.say(self.tr("{name} is signed on").format(name=name))
            await self._look()

    def sign_off(self) -> None:
        """Nobody is signed on from now on."""
        self._context.operations.run(self._leave())

    async def _leave(self) -> None:
        try:
            await self._context.door.sign_off()
        finally:
            self.here = None
            await self._look()

    def _follow(self, notice: Notice) -> None:
        if notice.missed or notice.tells_of(_CHANGES):
            self.look()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT and self.rest.isActive():
            self.rest.start()
        return False
