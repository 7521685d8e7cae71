"""Changes of the tokens that programs and people use over HTTP, and of tenants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.accounts import Credentials
from cnc_station.engine.domain.admission import Text
from cnc_station.engine.domain.tokens import DEFAULT_DAYS, MOST_TOKEN, ROTATION_OVERLAP_S
from cnc_station.engine.views.tokens import IssuedToken


@dataclass(frozen=True, slots=True)
class LogIn(Command[IssuedToken]):
    """Sign on over the network: check credentials and issue a token for 12 hours. Raises what
    `SignOn` does."""

    credentials: Credentials


@dataclass(frozen=True, slots=True)
class LogOut(Command[None]):
    """Revoke the token that this request came with. Raises NotSignedOn if it is not valid."""

    TEXTS: ClassVar = {"token": Text(MOST_TOKEN)}

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssueToken(Command[IssuedToken]):
    """Issue a token for a program that acts as an account. It is shown only now. Raises
    InvalidInput, Conflict for an account that may not sign on."""

    account_id: int
    label: str
    days: int = DEFAULT_DAYS


@dataclass(frozen=True, slots=True)
class RevokeToken(Command[None]):
    """End a token before it expires. Raises Conflict if there is none."""

    jti: str


@dataclass(frozen=True, slots=True)
class RotateTokenKey(Command[None]):
    """Sign tokens with a new key. Those that the former keys signed are accepted for `overlap_s`
    longer. Raises InvalidInput."""

    overlap_s: float = ROTATION_OVERLAP_S


@dataclass(frozen=True, slots=True)
class CreateTenant(Command[int]):
    """Enter a tenant, with limits of its own (`domain.limits`, as text); the answer is its id.
    Raises InvalidInput."""

    name: str
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EditTenant(Command[None]):
    """Replace the limits of a tenant. Raises InvalidInput, Conflict."""

    tenant_id: int
    limits: Mapping[str, str]
