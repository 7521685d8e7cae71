"""Changes of accounts, and signing on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.accounts import LONGEST_SECRET, Account, Credentials, Proof
from cnc_station.engine.domain.admission import REASON, Text
from cnc_station.engine.views.accounts import SignedOn

_SECRET: Mapping[str, Text] = {"secret": Text(LONGEST_SECRET)}


@dataclass(frozen=True, slots=True)
class SignOn(Command[SignedOn]):
    """Check credentials. `Door.sign_on` binds the door to the answer. Raises NotSignedOn, Locked
    after too many wrong attempts, Conflict without accounts."""

    credentials: Credentials


@dataclass(frozen=True, slots=True)
class SignOff(Command[None]):
    """Record that the principal goes. `Door.sign_off` sends it."""


@dataclass(frozen=True, slots=True)
class TurnOnAccounts(Command[int]):
    """Use accounts from now on, beginning with a first administrator; the answer is its id. With
    `first` None the stored accounts are used again (the answer is 0). Raises InvalidInput, Conflict
    if there is no administrator."""

    TEXTS: ClassVar = {"password": Text(LONGEST_SECRET)}

    first: Account | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TurnOffAccounts(Command[None]):
    """Let everybody at the stations do everything again. The accounts stay stored."""


@dataclass(frozen=True, slots=True)
class CreateAccount(Command[int]):
    """Store an account with at least one secret; the answer is its id. Raises InvalidInput."""

    account: Account
    secrets: Mapping[Proof, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EditAccount(Command[None]):
    """Replace an account, but not its secrets. With `version`, refused if somebody changed it
    meanwhile. Raises InvalidInput, Conflict for the last administrator."""

    account_id: int
    account: Account
    version: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveAccount(Command[None]):
    """Its jobs and events stay. Raises Conflict for the last administrator."""

    account_id: int


@dataclass(frozen=True, slots=True)
class SetSecret(Command[None]):
    """Replace a secret of an account; "" takes it away. Its tokens end. Raises InvalidInput,
    Conflict if nothing would be left to sign on with."""

    TEXTS: ClassVar = _SECRET

    account_id: int
    proof: Proof
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeOwnSecret(Command[None]):
    """The same for the account that is signed on. `present` are its credentials as they are now,
    checked as for signing on."""

    TEXTS: ClassVar = _SECRET

    present: Credentials
    proof: Proof
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResetPassword(Command[None]):
    """Replace a lost password: for whoever owns the files of a station. Raises InvalidInput,
    Conflict."""

    TEXTS: ClassVar = {**_SECRET, "reason": REASON}

    login: str
    secret: str = field(repr=False)
    reason: str = ""
