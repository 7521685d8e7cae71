"""Records about tokens and tenants."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.domain.principal import Principal


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token, shown only once."""

    token: str = field(repr=False)
    jti: str
    account_id: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that is accepted. `label` is "" for a person who signed on."""

    jti: str
    account_id: int
    label: str
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """The principal of a valid token, with the rights that its account has now. `rights` are names
    of `permissions.Permission`."""

    principal: Principal
    jti: str
    expires_at: int
    rights: tuple[str, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant, and the limits that are its own, as text by name."""

    id: int
    version: int
    name: str
    limits: Mapping[str, str]
    created_at: int
