"""The people who sign on: who they are, what they may do, and what they sign on with."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import EditAccount, RemoveAccount, TurnOffAccounts
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.accounts import Proof
from cnc_station.engine.domain.errors import NotPermitted, NotSignedOn
from cnc_station.engine.domain.notice import Notice, Topic
from cnc_station.engine.queries import ListAccounts, WhoIsHere
from cnc_station.engine.views.accounts import AccountRow
from cnc_station.ui import formatting
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.people.person_form import PersonForm, SecretForm, secret_words
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, DangerButton, PrimaryButton
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox
from cnc_station.ui.widgets.text import Text

_ABOUT = frozenset({t.ACCOUNTS_CHANGED.name, t.SIGNED_ON.name, Topic.ACCOUNTS_READ})


class PersonDetail(Card):
    """One person with what can be done about them."""

    def __init__(self) -> None:
        super().__init__()
        self.name = Text("", Role.CARD_TITLE)
        self.about = Text("", Role.BODY, Ink.MUTED, wrap=True)
        self.edit = Button(self.tr("Edit…"))
        self.secrets = {
            proof: Button(self.tr("{what}…").format(what=secret_words(proof))) for proof in Proof
        }
        self.enable = Button("")
        self.remove = DangerButton(self.tr("Remove"))
        keys = hbox(*self.secrets.values(), STRETCH)
        rest = hbox(self.edit, self.enable, STRETCH, self.remove)
        fill(self.body, self.name, self.about, 8, keys, 8, rest, STRETCH)

    def show_person(self, row: AccountRow) -> None:
        """Show a person."""
        self.name.setText(row.account.name)
        account = row.account
        lines = [
            account.role.capitalize() + ("" if account.enabled else self.tr(" · disabled")),
            account.email,
            self.tr("Customers: {names}").format(names=customers(row)),
            self.tr("Signs on with {what}").format(what=proofs(row)),
        ]
        self.about.setText("\n".join(line for line in lines if line))
        self.enable.setText(self.tr("Disable") if account.enabled else self.tr("Enable"))


class PeoplePage(ListPage[AccountRow]):
    """A list of accounts, one of them in detail; without accounts, how to begin."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context, self.tr("People"))
        self.accounts_on = False
        self._refused = ""
        self.detail = PersonDetail()
        self.add_button = PrimaryButton(self.tr("Add a person…"), clicked=self.add)
        self.off_button = Button(self.tr("Turn accounts off"), clicked=self.turn_off)
        self.detail.edit.clicked.connect(self.edit)
        for proof, button in self.detail.secrets.items():
            button.clicked.connect(partial(self.set_secret, proof))
        self.detail.enable.clicked.connect(self.enable)
        self.detail.remove.clicked.connect(self.remove)
        empty = EmptyState(
            "user",
            self.tr("Nobody has to sign on"),
            self.tr(
                "Everybody at a station may do everything. With accounts each person signs on by "
                "PIN, badge or password, does what their role allows, and stands in the history. "
                "Whoever stands at a machine may always stop it."
            ),
            self.tr("Use accounts…"),
        )
        empty.step.connect(self.begin)
        no_match = self.tr("No person matches the search.")
        head = (self.off_button, self.add_button)
        self.lay_out(self.detail, (3, 2), empty, no_match, *head, least=380)

    def columns(self) -> Sequence[Column[AccountRow]]:
        now = self._context.now
        return (
            Column(self.tr("Name"), lambda row: row.account.name, 150, strong=True),
            Column(self.tr("Role"), lambda row: row.account.role.capitalize(), 110),
            Column(self.tr("Customers"), customers, 110),
            Column(self.tr("Signs on with"), proofs, 150),
            Column(
                self.tr("Last signed on"),
                lambda row: formatting.moment(row.signed_on_at, now()),
                ink=lambda _: Ink.MUTED,
            ),
        )

    def key_of(self, row: AccountRow) -> int:
        return row.id

    def follow(self, notice: Notice) -> None:
        if notice.tells_of(_ABOUT):
            self._refresh.request()

    async def read(self) -> Sequence[AccountRow] | None:
        """The people that match; none for those who may not look at them."""
        door = self._context.door
        self._refused = ""
        try:
            self.accounts_on = (await door.ask(WhoIsHere())).accounts
            rows = await door.ask(ListAccounts())
        except (NotPermitted, NotSignedOn) as refused:
            self._refused = str(refused)
            rows = ()
        for button in (self.add_button, self.off_button):
            button.setEnabled(self.accounts_on and not self._refused)
        words = self._text.casefold().split()
        return [row for row in rows if all(word in _text_of(row) for word in words)]

    def instead(self) -> QWidget | None:
        if self.accounts_on:
            return self.nothing_found if self._text and not self.rows.total else None
        return self.empty

    def summary(self) -> str:
        if self._refused:
            return self._refused
        if self.rows.total == 1:
            return self.tr("1 person")
        return self.tr("{count} people").format(count=self.rows.total)

    def show_row(self, row: AccountRow) -> None:
        self.detail.show_person(row)

    def begin(self) -> PersonForm:
        """Turn accounts on, with a first administrator."""
        return self._opened(PersonForm(self._context, self.window(), first=True))

    def add(self) -> PersonForm:
        """Add a person."""
        return self._opened(PersonForm(self._context, self.window()))

    def edit(self) -> None:
        """Change the chosen person."""
        if (row := self.table.current) is not None:
            self._opened(PersonForm(self._context, self.window(), row))

    def _opened(self, form: PersonForm) -> PersonForm:
        form.open()
        return form

    def set_secret(self, proof: Proof) -> None:
        """Set a secret of the chosen person."""
        if (row := self.table.current) is not None:
            SecretForm(self._context, self.window(), row, proof).open()

    def enable(self) -> None:
        """Disable the chosen person, or enable them again."""
        if (row := self.table.current) is not None:
            account = replace(row.account, enabled=not row.account.enabled)
            command = EditAccount(row.id, account, row.version)
            self._context.operations.run(self._context.door.execute(command))

    def remove(self) -> None:
        """Remove the chosen person; jobs and history stay."""
        if (row := self.table.current) is not None:
            self._context.operations.run(self._context.door.execute(RemoveAccount(row.id)))

    def turn_off(self) -> None:
        """Let everybody do everything again; the accounts stay stored."""
        self._context.operations.run(self._context.door.execute(TurnOffAccounts()))


def customers(row: AccountRow) -> str:
    """Whose jobs a person sees."""
    return "all" if row.account.tenants is None else ", ".join(row.account.tenants)


def proofs(row: AccountRow) -> str:
    """What a person signs on with."""
    return ", ".join(secret_words(proof) for proof in row.proofs) or formatting.NONE


def _text_of(row: AccountRow) -> str:
    account = row.account
    return f"{account.name} {account.email} {account.role} {customers(row)}".casefold()
