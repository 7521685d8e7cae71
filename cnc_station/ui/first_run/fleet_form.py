"""Join a fleet: the addresses and passwords of its servers, tried before anything is stored."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QLineEdit, QWidget

from cnc_station.engine.commands import JoinFleet, TryFleet
from cnc_station.engine.domain.errors import CncStationError, FieldError, InvalidInput
from cnc_station.engine.domain.fleet import FleetServers
from cnc_station.engine.queries import AboutStation
from cnc_station.engine.views import FleetReport
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import hbox
from cnc_station.ui.widgets.secret_field import SecretField
from cnc_station.ui.widgets.text import Text

_DENSE, _TOUCH = (620, 520), (680, 640)


class FleetForm(FormDialog):
    """Fields are named as in `FleetServers`. When the station has joined, the window starts again
    with the fleet's data."""

    def __init__(self, context: PageContext, parent: QWidget | None) -> None:
        title = self.tr("Join a fleet")
        super().__init__(context.operations, title, self.tr("Join"), parent)
        self._context = context
        self._task: asyncio.Task[None] | None = None
        self.test_button = Button(self.tr("Test"), clicked=self.test)
        self.answered = Text("", Role.NOTE, Ink.RUNNING, wrap=True)
        self._place()
        self.acting.append(self.test_button)
        self.finished.connect(self._stop)
        self.fit(_DENSE, _TOUCH)

    def _place(self) -> None:
        tr = self.tr
        database, redis, station = QLineEdit(), QLineEdit(), QLineEdit()
        words = tr("Password")
        database_word, redis_word = SecretField("", words), SecretField("", words)
        database.setPlaceholderText("postgresql://cnc@server/cnc")
        redis.setPlaceholderText("redis://server")
        station.setText(self._context.door.peek(AboutStation()).station)
        where = tr("Its name, or the whole address: postgresql://user@server/database")
        quick = tr("Stations notice work at once. Empty: some seconds later.")
        named = tr("Each station of a fleet has a name of its own.")
        server = Field(tr("Database server"), database, hint=where, wanted=True)
        self.add("database_url", server, 0, 0)
        self.add("database_password", Field(words, database_word), 0, 1)
        self.add("redis_url", Field(tr("Redis server"), redis, hint=quick), 1, 0)
        self.add("redis_password", Field(words, redis_word), 1, 1)
        self.add("station", Field(tr("Name of this station"), station, hint=named), 2, 0)
        line = QWidget()
        hbox(self.test_button, (self.answered, 1), on=line, gap=12)
        self.place(line, 3)
        keeps = tr(
            "Nothing is stored until both answer. The jobs of this PC alone stay in its file and "
            "do not move to the fleet."
        )
        self.place(Text(keeps, Role.NOTE, Ink.MUTED, wrap=True), 4)
        self.fill_below()
        for editor in (database, database_word, redis, redis_word, station):
            editor.textEdited.connect(self._forget)

    def _servers(self) -> FleetServers:
        return FleetServers(**{name: field.value for name, field in self.fields.items()})

    def _forget(self) -> None:
        self.answered.setText("")

    def test(self) -> None:
        """Ask both servers and show their answers."""
        if self._task is None and not self._doing:
            self._task = self._context.operations.run(self._test())

    async def _test(self) -> None:
        self._enable(on=False)
        self.tell(())
        self.answered.set_ink(Ink.MUTED)
        self.answered.setText(self.tr("Asking both servers…"))
        try:
            report = await self._context.door.execute(TryFleet(self._servers()))
        except CncStationError as error:
            self._forget()
            self.complain(error)
        else:
            self._show(report)
        finally:
            if self._task is not None:  # otherwise stopped, and the buttons may be deleted
                self._task = None
                self._enable(on=True)

    def _enable(self, *, on: bool) -> None:
        for button in (self.test_button, self.save_button):
            button.setEnabled(on)

    def _show(self, report: FleetReport) -> None:
        self.answered.set_ink(Ink.RUNNING)
        self.answered.setText(f"{report.database} {report.redis}")

    def tell(self, errors: Any) -> None:
        """Errors of nested values stand at their own fields."""
        super().tell(errors)
        if errors:
            self._forget()

    def storing(self) -> Coroutine[Any, Any, Any]:
        servers = self._servers()
        if not servers.database_url.strip():
            raise InvalidInput(FieldError("database_url", self.tr("is missing")))
        return self._join(servers)

    async def _join(self, servers: FleetServers) -> None:
        await self._context.door.execute(JoinFleet(servers))
        self._context.operations.say(self.tr("This station has joined the fleet"))
        self._context.navigator.open_shop()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
