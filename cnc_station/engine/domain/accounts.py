"""Accounts: who may sign on, with what, and how long they wait after wrong attempts.

The rules for passwords are those of NIST SP 800-63B, section 5.1.1.2: a length, a list of the worst
ones, and no rules about which characters they must have.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar

from cnc_station.engine.domain import checks
from cnc_station.engine.domain.admission import OPERATOR, Text
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.domain.message_formats.options import is_mail_address
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.domain.text_gate import tidy
from cnc_station.engine.domain.worst_passwords import WORST

SHORTEST_PASSWORD, LONGEST_SECRET = 8, 256
SHORTEST_PIN, LONGEST_PIN = 4, 12
SHORTEST_BADGE = 6
MOST_TENANTS = 200
LANGUAGES = ("", "en", "de")  # "": that of the station
FREE_ATTEMPTS = 5
_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 900.0
STATION_FREE_ATTEMPTS, _LONGEST_STATION_PAUSE_S = 30, 60.0
_SERIES = "01234567890123456789"


class Proof(StrEnum):
    """What a person signs on with."""

    PASSWORD = "password"
    PIN = "pin"
    BADGE = "badge"


@dataclass(frozen=True, slots=True)
class Credentials:
    """`login` is a name or an e-mail address; a badge needs none."""

    TEXTS: ClassVar = {"secret": Text(LONGEST_SECRET)}

    proof: Proof
    secret: str = field(repr=False)
    login: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A person or a program that may sign on. `tenants`: the only ones whose jobs it sees; None:
    all. `language`: of the window; "": that of the station."""

    TEXTS: ClassVar = {"name": OPERATOR}

    name: str
    role: Role
    email: str = ""
    tenants: tuple[str, ...] | None = None
    enabled: bool = True
    language: str = ""

    def validated(self) -> "Account":
        """Return it as it is stored. Raises InvalidInput with every invalid field."""
        refuse(_account_errors(self))
        tenants = self.tenants
        return replace(
            self,
            name=self.name.strip(),
            role=Role(self.role),
            email=self.email.strip(),
            tenants=None if tenants is None else tuple(dict.fromkeys(tenants)),
        )


def _account_errors(account: Account) -> Iterator[FieldError]:
    yield from checks.text("name", account.name, OPERATOR.most, wanted=True)
    if "@" in account.name:
        yield FieldError("name", "must not contain @: the e-mail address has a field of its own")
    if account.role not in set(Role):
        yield FieldError("role", f"must be one of {', '.join(Role)}")
    if account.email and not is_mail_address(account.email.strip()):
        yield FieldError("email", "must be an address such as ann@shop.example")
    if account.language not in LANGUAGES:
        yield FieldError("language", "must be en, de, or empty for that of the station")
    if account.tenants is None:
        return
    if not 0 < len(account.tenants) <= MOST_TENANTS:
        yield FieldError("tenants", f"name 1 to {MOST_TENANTS} of them, or none at all for every")
    for tenant in account.tenants:
        yield from checks.text("tenants", tenant, 80, wanted=True)


def login_key(login: str) -> str:
    """Return what two spellings of one name or address have in common."""
    return unicodedata.normalize("NFKC", tidy(login)).strip().casefold()


def normal_secret(proof: Proof, secret: str) -> str:
    """Return a secret as it is hashed: keyboards spell the same letters in different ways."""
    return unicodedata.normalize("NFKC", secret if proof is Proof.PASSWORD else secret.strip())


def secret_errors(proof: Proof, secret: str, names: Iterable[str] = ()) -> Iterator[FieldError]:
    """Yield what is wrong with a new secret of a person of these names."""
    found = normal_secret(proof, secret)
    if len(found) > LONGEST_SECRET:
        yield FieldError(proof, f"at most {LONGEST_SECRET} characters")
    elif proof is Proof.PIN:
        yield from _pin_errors(found)
    elif proof is Proof.BADGE:
        if len(found) < SHORTEST_BADGE or not found.isprintable():
            yield FieldError(proof, f"must be a line of at least {SHORTEST_BADGE} characters")
    else:
        yield from _password_errors(found, names)


def _pin_errors(pin: str) -> Iterator[FieldError]:
    if not re.fullmatch(r"[0-9]+", pin) or not SHORTEST_PIN <= len(pin) <= LONGEST_PIN:
        yield FieldError("pin", f"must have {SHORTEST_PIN} to {LONGEST_PIN} digits")
    elif len(set(pin)) == 1 or pin in _SERIES or pin in _SERIES[::-1]:
        yield FieldError("pin", "is too easy to guess: use other digits than a series")


def _password_errors(password: str, names: Iterable[str]) -> Iterator[FieldError]:
    if len(password) < SHORTEST_PASSWORD:
        yield FieldError("password", f"must have at least {SHORTEST_PASSWORD} characters")
        return
    plain = password.casefold()
    core = re.sub(r"[\W_]+", "", plain)
    own = {login_key(name) for name in names if name} | {"cncstation", "cnc station"}
    if {core, plain} & WORST or core.strip("0123456789") in own:
        yield FieldError("password", "is one of the first that others would guess")
    elif len(set(plain)) < 3 or plain in _SERIES or plain in _SERIES[::-1]:
        yield FieldError("password", "is too easy to guess: use different characters")


def pause_s(failures: int) -> float:
    """Return how long an account waits after so many wrong attempts in a row."""
    return _growing(failures - FREE_ATTEMPTS, _LONGEST_PAUSE_S)


def station_pause_s(failures: int) -> float:
    """Return how long a whole station waits: only sign-on stops, never a machine or its stop."""
    return _growing(failures - STATION_FREE_ATTEMPTS, _LONGEST_STATION_PAUSE_S)


def _growing(step: int, longest_s: float) -> float:
    return 0.0 if step < 0 else min(_PAUSE_S * 2.0 ** min(step, 20), longest_s)
