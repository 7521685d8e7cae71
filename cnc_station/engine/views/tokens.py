"""Records about tokens."""

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
