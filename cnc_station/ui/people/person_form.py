"""The forms of people: the first administrator, a person, and one of their secrets."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from cnc_station.engine.commands import CreateAccount, EditAccount, SetSecret, TurnOnAccounts
from cnc_station.engine.domain.accounts import (
    LONGEST_SECRET,
    SHORTEST_PASSWORD,
    SHORTEST_PIN,
    Account,
    Proof,
)
from cnc_station.engine.domain.admission import OPERATOR
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.views.accounts import AccountRow
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.secret_field import SecretField

_DENSE, _TOUCH = (620, 520), (740, 680)
_SMALL, _SMALL_TOUCH = (520, 260), (640, 340)


class PersonForm(FormDialog):
    """Adds a person, or changes `row`. Without any account yet it adds the first administrator and
    turns accounts on."""

    def __init__(
        self,
        context: PageContext,
        parent: QWidget | None,
        row: AccountRow | None = None,
        *,
        first: bool = False,
    ) -> None:
        title = self.tr("Add a person") if row is None else row.account.name
        if first:
            title = self.tr("Use accounts: the first administrator")
        save = self.tr("Turn accounts on") if first else self.tr("Save")
        super().__init__(context.operations, title, save, parent)
        self._context = context
        self._row = row
        self._first = first
        self.name = QLineEdit()
        self.name.setMaxLength(OPERATOR.most)
        self.email = QLineEdit()
        self.role = QComboBox()
        self.role.addItems([role.capitalize() for role in Role])
        self.tenants = QLineEdit()
        self.password = SecretField("", self.tr("the password"))
        self.pin = SecretField("", self.tr("the PIN"))
        for secret in (self.password, self.pin):
            secret.setMaxLength(LONGEST_SECRET)
        self._place()
        self._fill()
        self.fit(_DENSE, _TOUCH)

    def _place(self) -> None:
        tr = self.tr
        self.add("name", Field(tr("Name"), self.name, wanted=True), 0, 0)
        self.add("email", Field(tr("E-mail"), self.email, hint=" "), 0, 1)
        long = tr("at least {n} characters").format(n=SHORTEST_PASSWORD)
        digits = tr("for the machine: at least {n} digits").format(n=SHORTEST_PIN)
        self.add("password", Field(tr("Password"), self.password, hint=long), 2, 0)
        self.add("pin", Field(tr("PIN"), self.pin, hint=digits), 2, 1)
        self.add("role", Field(tr("Role"), self.role), 1, 0)
        every = tr("empty: sees the jobs of all; several with commas")
        self.add("tenants", Field(tr("Customers"), self.tenants, hint=every), 1, 1)
        for name in ("password", "pin"):
            self.fields[name].setVisible(self._row is None)
        for name in ("role", "tenants", "pin"):
            if self._first:
                self.fields[name].hide()
        self.fill_below()

    def _fill(self) -> None:
        role = Role.ADMINISTRATOR if self._first else Role.OPERATOR
        if self._row is not None:
            account = self._row.account
            role = account.role
            self.name.setText(account.name)
            self.email.setText(account.email)
            self.tenants.setText(", ".join(account.tenants or ()))
        self.role.setCurrentIndex(list(Role).index(role))

    def _account(self) -> Account:
        named = tuple(part.strip() for part in self.tenants.text().split(",") if part.strip())
        return Account(
            self.name.text().strip(),
            list(Role)[self.role.currentIndex()],
            self.email.text().strip(),
            named or None,
            self._row is None or self._row.account.enabled,
            "" if self._row is None else self._row.account.language,
        )

    def storing(self) -> Coroutine[Any, Any, Any]:
        account = self._account()
        door = self._context.door
        if self._row is not None:
            return door.execute(EditAccount(self._row.id, account, self._row.version))
        if self._first:
            return door.execute(TurnOnAccounts(account, self.password.text()))
        given = {Proof.PASSWORD: self.password.text(), Proof.PIN: self.pin.text()}
        return door.execute(
            CreateAccount(account, {proof: text for proof, text in given.items() if text})
        )


class SecretForm(FormDialog):
    """Sets the password, the PIN or the badge of a person; empty takes it away."""

    def __init__(
        self, context: PageContext, parent: QWidget | None, row: AccountRow, proof: Proof
    ) -> None:
        words = secret_words(proof)
        title = self.tr("{what} of {name}").format(what=words, name=row.account.name)
        super().__init__(context.operations, title, self.tr("Save"), parent)
        self._context = context
        self._row = row
        self._proof = proof
        self.secret = SecretField("", words)
        self.secret.setMaxLength(LONGEST_SECRET)
        scan = self.tr("scan the badge now") if proof is Proof.BADGE else ""
        hint = scan or self.tr("empty: it is taken away")
        self.add(proof, Field(words, self.secret, hint=hint), 0, 0, 2)
        self.fill_below()
        self.fit(_SMALL, _SMALL_TOUCH)

    def storing(self) -> Coroutine[Any, Any, Any]:
        typed = self.secret.text()
        if not typed and self._proof not in self._row.proofs:
            raise InvalidInput(FieldError(self._proof, self.tr("is missing")))
        return self._context.door.execute(SetSecret(self._row.id, self._proof, typed))


def secret_words(proof: Proof) -> str:
    """Return the name of a secret for people."""
    return {Proof.PASSWORD: "Password", Proof.PIN: "PIN", Proof.BADGE: "Badge"}[proof]
