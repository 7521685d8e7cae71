"""Records about accounts, and about who is signed on."""

from dataclasses import dataclass

from cnc_station.engine.domain.accounts import Account, Proof
from cnc_station.engine.domain.principal import Principal


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account; `proofs` are what it can sign on with."""

    id: int
    version: int
    account: Account
    proofs: tuple[Proof, ...]
    created_at: int
    signed_on_at: int | None


@dataclass(frozen=True, slots=True)
class Here:
    """Who asks. `accounts` says whether the shop uses them; `rights` are the names of
    `permissions.Permission` that the principal has. `tenants` None: all."""

    accounts: bool
    name: str
    signed_on: bool
    role: str
    tenants: tuple[str, ...] | None
    rights: tuple[str, ...]
    language: str = ""


@dataclass(frozen=True, slots=True)
class SignedOn:
    """The principal of an account whose credentials were right."""

    principal: Principal
    account: AccountRow


@dataclass(frozen=True, slots=True)
class Person:
    """One who may sign on at this station, for the buttons of the sign-on pad."""

    name: str
    role: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class RateState:
    """How far an account has used a rate: `left` attempts may follow now; in `reset_s` the first
    one leaves the window."""

    name: str
    count: int
    window_s: int
    left: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class LimitsState:
    """How far an account has used its limits; None: it has no such limit."""

    create: RateState | None = None
    run: RateState | None = None
    most_active: int | None = None
    active: int = 0
