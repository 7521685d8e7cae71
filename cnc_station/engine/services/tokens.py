"""Issues and checks the tokens of people and programs: JWTs (RFC 7519), HS256 only, by PyJWT.

What a bearer may do is that of its account at each request: the role and the tenants in a token are
for the eyes of its holder. A check costs no query: the tokens that are accepted and the keys are at
hand, and are read again when this station does not know one of them.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Protocol

import jwt

from cnc_station.engine.domain.accounts import Account
from cnc_station.engine.domain.errors import Conflict, NotSignedOn
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.domain.tokens import AUDIENCE, MOST_TOKEN, SigningKey, new_key
from cnc_station.engine.services.accounts import KnownAccounts
from cnc_station.engine.store import tokens as store
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views.tokens import IssuedToken, TokenBearer, TokenRow

ALGORITHM = "HS256"
CLAIMS = ("sub", "role", "tenants", "iat", "exp", "jti", "aud")
ALL_TENANTS = "*"  # a required claim cannot be null
INVALID = "This token is not valid."
_AGAIN_S = 1.0  # between two looks for a key that nobody may have


class Writes(Protocol):
    """The part of the writer that tokens need."""

    async def write(self, command: StoreCommand[Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Where a station alone stores its keys, newest first."""

    load: Callable[[], Awaitable[Sequence[SigningKey]]]
    save: Callable[[Sequence[SigningKey]], Awaitable[None]]


class Tokens:
    """`file` None: the keys are those of a fleet, in its database."""

    def __init__(self, accounts: KnownAccounts, writer: Writes, file: KeyFile | None) -> None:
        self._accounts = accounts
        self._writer = writer
        self._file = file
        self._own_keys: tuple[SigningKey, ...] = ()
        self._looked_at = -_AGAIN_S

    async def issue(
        self, account_id: int, lasts_ms: int, actor: str, label: str = ""
    ) -> IssuedToken:
        """Issue a token for an account. Raises Conflict if it may not sign on."""
        found = self._accounts.now.by_id.get(account_id)
        if found is None:
            raise Conflict("This account may not sign on.")
        key = await self._signing_key(actor)
        issued_at = now_ms() // 1000 * 1000
        row = TokenRow(secrets.token_hex(16), account_id, label, issued_at, issued_at + lasts_ms)
        claims = _claims(row, found.account)
        token = jwt.encode(claims, key.secret, ALGORITHM, headers={"kid": key.kid})
        await self._writer.write(store.AddToken(row, actor))
        await self._accounts.refresh()
        return IssuedToken(token, row.jti, account_id, row.expires_at)

    async def bearer(self, token: str, asking: Principal) -> TokenBearer:
        """Return who acts with a token. Raises NotSignedOn, Unavailable."""
        claims = await self._checked(token)
        jti, account_id = str(claims["jti"]), str(claims["sub"])
        row = self._accounts.tokens.by_jti.get(jti)
        if row is None and self._may_look():  # another station has issued it just now
            await self._accounts.refresh()
            row = self._accounts.tokens.by_jti.get(jti)
        if row is None or str(row.account_id) != account_id:
            raise NotSignedOn(INVALID)
        unbound = replace(
            asking, account=None, account_id=row.account_id, present=False, owner=False
        )
        return TokenBearer(self._accounts.current(unbound), jti, row.expires_at)

    async def rotate(self, overlap_ms: int, actor: str) -> None:
        """Sign with a new key from now on."""
        if self._file is None:
            await self._writer.write(store.AddSigningKey(new_key(), actor, overlap_ms))
        else:
            await self._read_file()
            now = now_ms()
            ends = now + overlap_ms
            former = [
                key if key.accepted_until is not None else replace(key, accepted_until=ends)
                for key in self._own_keys
            ]
            await self._save(new_key(), *(key for key in former if key.accepted(now)))
            await self._writer.write(store.RecordNewKey(actor))
        await self._accounts.refresh()

    @property
    def _keys(self) -> Sequence[SigningKey]:
        return self._accounts.tokens.keys if self._file is None else self._own_keys

    async def _signing_key(self, actor: str) -> SigningKey:
        if self._file is not None:
            await self._read_file()
            if not self._own_keys:
                await self._save(new_key())
            return self._own_keys[0]
        await self._accounts.refresh()
        if not self._keys:
            await self._writer.write(store.AddSigningKey(new_key(), actor))
            await self._accounts.refresh()
        return self._keys[0]

    async def _checked(self, token: str) -> dict[str, Any]:
        key = await self._key_of(token)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": list(CLAIMS), "verify_iat": False},
            )
        except jwt.ExpiredSignatureError:
            raise NotSignedOn("This token has expired: sign on again.") from None
        except jwt.PyJWTError:
            raise NotSignedOn(INVALID) from None
        return claims

    async def _key_of(self, token: str) -> SigningKey:
        """Return the accepted key that a token names. Raises NotSignedOn."""
        if len(token) > MOST_TOKEN:
            raise NotSignedOn(INVALID)
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            raise NotSignedOn(INVALID) from None
        if (known := self._known(kid)) is None and self._may_look():
            await self._read_file()
            if self._file is None:
                await self._accounts.refresh()
            known = self._known(kid)
        if known is None:
            raise NotSignedOn(INVALID)
        return known

    def _known(self, kid: object) -> SigningKey | None:
        now = now_ms()
        return next((key for key in self._keys if key.kid == kid and key.accepted(now)), None)

    def _may_look(self) -> bool:
        """Whether enough time has passed: forged tokens must not cost a query each."""
        if monotonic() - self._looked_at < _AGAIN_S:
            return False
        self._looked_at = monotonic()
        return True

    async def _read_file(self) -> None:
        if self._file is not None:
            self._own_keys = tuple(await self._file.load())

    async def _save(self, *keys: SigningKey) -> None:
        assert self._file is not None
        await self._file.save(keys)
        self._own_keys = keys


def _claims(row: TokenRow, account: Account) -> dict[str, Any]:
    return {
        "sub": str(row.account_id),
        "role": account.role.value,
        "tenants": [ALL_TENANTS] if account.tenants is None else list(account.tenants),
        "iat": row.issued_at // 1000,
        "exp": row.expires_at // 1000,
        "jti": row.jti,
        "aud": AUDIENCE,
    }
