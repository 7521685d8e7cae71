"""What the API takes and answers about accounts and tokens."""

from typing import Annotated, Any, Self

from pydantic import Field

from cnc_station.engine.domain.accounts import LONGEST_SECRET, Account, Credentials, Proof
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.domain.tokens import DEFAULT_DAYS, MOST_DAYS
from cnc_station.engine.views.accounts import AccountRow, Here
from cnc_station.engine.views.tokens import IssuedToken, TenantRow, TokenRow
from cnc_station.web.api.values import PageOut, TakenJson, TimeOut, Told

Secret = Annotated[str, Field(max_length=LONGEST_SECRET)]
RoleIn = Annotated[Role, Field(strict=False)]


class LoginIn(TakenJson):
    """A name or an e-mail address, and either the password or the PIN."""

    login: str
    password: Secret | None = Field(default=None, repr=False)
    pin: Secret | None = Field(default=None, repr=False)

    def credentials(self) -> Credentials:
        """Raises InvalidInput."""
        if (self.password is None) == (self.pin is None):
            raise InvalidInput(FieldError("password", "give either the password or the PIN"))
        if self.password is not None:
            return Credentials(Proof.PASSWORD, self.password, self.login)
        return Credentials(Proof.PIN, self.pin or "", self.login)


class UserFields(TakenJson):
    """The fields of an account. `tenants` null: all. `password`, `pin` and `badge` replace those
    that the account has."""

    name: str | None = None
    email: str | None = None
    role: RoleIn | None = None
    tenants: list[str] | None = None
    enabled: bool | None = None
    language: str | None = None
    password: Secret | None = Field(default=None, repr=False)
    pin: Secret | None = Field(default=None, repr=False)
    badge: Secret | None = Field(default=None, repr=False)

    def given(self) -> dict[str, Any]:
        """The fields of an `Account` that were given."""
        secret = set(map(str, Proof))
        found = {name: getattr(self, name) for name in self.model_fields_set - secret}
        for name, value in found.items():
            if value is None and name != "tenants":
                raise InvalidInput(FieldError(name, "is missing"))
        if self.tenants is not None:
            found["tenants"] = tuple(self.tenants)
        return found

    def secrets(self) -> dict[Proof, str]:
        """The secrets that were given."""
        return {one: getattr(self, one) for one in Proof if getattr(self, one) is not None}


class UserIn(UserFields):
    """A new account, with at least one secret."""

    name: str
    role: RoleIn

    def account(self) -> Account:
        """The account as the engine takes it."""
        return Account(**self.given())


class UserOut(Told):
    """An account. `proofs`: what it can sign on with."""

    id: int
    version: int
    name: str
    email: str
    role: Role
    tenants: list[str] | None
    enabled: bool
    language: str
    proofs: list[Proof]
    created_at: TimeOut
    signed_on_at: TimeOut | None

    @classmethod
    def of(cls, row: AccountRow) -> Self:
        account = row.account
        return cls(
            id=row.id,
            version=row.version,
            name=account.name,
            email=account.email,
            role=account.role,
            tenants=None if account.tenants is None else list(account.tenants),
            enabled=account.enabled,
            language=account.language,
            proofs=list(row.proofs),
            created_at=row.created_at,
            signed_on_at=row.signed_on_at,
        )


class UsersOut(PageOut):
    """The accounts, by name."""

    users: list[UserOut]


class MeOut(Told):
    """Who asks, and what they may do. `tenants` null: they see the jobs of all."""

    accounts: bool
    name: str
    signed_on: bool
    role: str
    tenants: list[str] | None
    rights: list[str]
    language: str

    @classmethod
    def of(cls, here: Here) -> Self:
        return cls.model_validate(here)


class LoginOut(Told):
    """The token to send with each request, and who acts with it."""

    token: str = Field(repr=False)
    expires_at: TimeOut
    user: MeOut


class NewTokenIn(TakenJson):
    """A token for a program."""

    label: str
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DEFAULT_DAYS


class NewTokenOut(Told):
    """A new token, which is told only here."""

    token: str = Field(repr=False)
    jti: str
    account_id: int
    expires_at: TimeOut

    @classmethod
    def of(cls, issued: IssuedToken) -> Self:
        return cls.model_validate(issued)


class TokenOut(Told):
    """A token that is accepted. `label` is empty for a person who signed on."""

    jti: str
    account_id: int
    label: str
    issued_at: TimeOut
    expires_at: TimeOut

    @classmethod
    def of(cls, row: TokenRow) -> Self:
        return cls.model_validate(row)


class TokensOut(PageOut):
    """The tokens, oldest first."""

    tokens: list[TokenOut]


class TenantIn(TakenJson):
    """A customer, with limits of its own: `{"create": "10/min", "active": "5"}`."""

    name: str
    limits: dict[str, str] = Field(default_factory=dict)


class TenantFields(TakenJson):
    """The limits of a customer, all of them anew."""

    limits: dict[str, str]


class TenantOut(Told):
    """A customer that was entered."""

    id: int
    version: int
    name: str
    limits: dict[str, str]
    created_at: TimeOut

    @classmethod
    def of(cls, row: TenantRow) -> Self:
        return cls.model_validate(row)


class TenantsOut(PageOut):
    """The customers, by name."""

    tenants: list[TenantOut]
