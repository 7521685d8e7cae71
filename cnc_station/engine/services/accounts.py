"""Who is known to this station: the accounts as they are stored, and signing on with them.

What a principal may do is looked up at each request: an account that was disabled at another
station, or has another role now, counts from the next notice on.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.accounts import (
    Credentials,
    Proof,
    login_key,
)
from cnc_station.engine.domain.errors import Conflict, NotSignedOn, Unavailable
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.principal import LOCAL, Actor, Principal, bystander
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.secret_hashes import SecretHashes
from cnc_station.engine.store import accounts as store
from cnc_station.engine.store.tokens import Tokens, read_tokens
from cnc_station.engine.store.transaction import StoreCommand

WRONG = "This name and this password, PIN or badge do not belong together."
GONE = "This account may not sign on any more."


_RELEVANT = frozenset({t.ACCOUNTS_CHANGED.name, t.SIGNED_OFF.name})  # a token may be revoked


class Writes(Protocol):
    """The part of the writer that signing on needs."""

    async def write(self, command: StoreCommand[Any]) -> Any: ...


class KnownAccounts:
    """The accounts, read again after each change. `load_pin_key` returns the key that PINs and
    badges are mixed with; None: this station has none. `make_pin_key` makes one. `on_read` is
    called when the accounts or their tokens are others than before."""

    def __init__(
        self,
        reader: Reader,
        writer: Writes,
        station: str,
        load_pin_key: Callable[[], Awaitable[bytes | None]],
        make_pin_key: Callable[[], Awaitable[bytes]],
        hashes: SecretHashes | None = None,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._station = station
        self._load_pin_key = load_pin_key
        self._make_pin_key = make_pin_key
        self.hashes = hashes or SecretHashes()
        self.now = store.Accounts()
        self.tokens = Tokens()
        self._on_read = on_read
        self._stale = False
        self._reading: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Read the accounts again. Raises Unavailable."""
        before = (self.now, self.tokens)
        self.now, self.tokens = await self._reader.read(_read_all)
        if (self.now, self.tokens) != before:
            self._on_read()

    def hear(self, notice: Notice) -> None:
        """Read the accounts again if this notice may be about them."""
        if not notice.missed and _RELEVANT.isdisjoint(notice.columns.type):
            return
        self._stale = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        while self._stale:
            self._stale = False
            with contextlib.suppress(Unavailable):  # the next notice or sign-on reads them
                await self.refresh()

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def current(self, principal: Principal) -> Principal:
        """Return a principal with the rights that it has now. Raises NotSignedOn for an account
        that is gone."""
        if principal.account_id is not None:
            found = self.now.by_id.get(principal.account_id)
            if found is None or not found.account.enabled:
                raise NotSignedOn(GONE)
            tenants = found.account.tenants
            return replace(
                principal,
                name=found.account.name,
                roles=frozenset({found.account.role}),
                tenants=None if tenants is None else frozenset(tenants),
            )
        if self.now.on and principal.account == LOCAL:
            return bystander(principal)
        return principal

    async def sign_on(self, credentials: Credentials, asking: Principal) -> Principal:
        """Return the principal of an account. Raises NotSignedOn, Locked, Conflict."""
        await self.refresh()
        if not self.now.on:
            raise Conflict("This shop uses no accounts.")
        await self.need_pin_key(credentials.proof, make=False)
        found = self._of(credentials)
        scopes = self._scopes(credentials, asking)
        await self._writer.write(store.CountAttempt(*scopes))
        stored = None if found is None else found.hashes.get(credentials.proof)
        right = await self.hashes.matches(credentials.proof, credentials.secret, stored)
        if found is None or not right or not found.account.enabled:
            actor = Actor("somebody", "", asking.origin)
            await self._writer.write(store.RecordSignOn(t.SIGN_ON_REFUSED, actor))
            raise NotSignedOn(WRONG)
        principal = self.current(replace(asking, account=None, account_id=found.id))
        await self._writer.write(store.SignedOn(found.id, *scopes, principal.actor))
        return principal

    async def need_pin_key(self, proof: Proof, *, make: bool) -> str:
        """Have the key of PINs and badges at hand; return its name if it is new to the database.
        Raises Unavailable at a station that has not the one of its fleet."""
        if proof is Proof.PASSWORD:
            return ""
        if not self.hashes.pin_key:
            self.hashes.pin_key = await self._load_pin_key() or b""
        known = self.now.pin_key
        if not self.hashes.pin_key and make and not known:
            self.hashes.pin_key = await self._make_pin_key()
        if not self.hashes.pin_key or known not in {"", self.hashes.pin_key_name}:
            raise Unavailable(
                "This station has not the key for PINs and badges: take it over from a station that"
                " has it (`cnc-station secret`), or sign on with a password."
            )
        return "" if known else self.hashes.pin_key_name

    def _of(self, credentials: Credentials) -> store.StoredAccount | None:
        if credentials.proof is Proof.BADGE:
            badge = self.hashes.badge(credentials.secret)
            return next(
                (one for one in self.now.by_id.values() if one.hashes.get(Proof.BADGE) == badge),
                None,
            )
        wanted = login_key(credentials.login)
        return next(
            (
                one
                for one in self.now.by_id.values()
                if wanted in {login_key(one.account.name), login_key(one.account.email) or None}
            ),
            None,
        )

    def _scopes(self, credentials: Credentials, asking: Principal) -> tuple[str | None, str]:
        """Return the scope of the login and that of the station. At the window they are others than
        over the network: nobody out there can lock people out of their machines. A badge has no
        login."""
        place = "window" if asking.present else "network"
        station = f"{place} of {self._station}"
        if credentials.proof is Proof.BADGE:
            return None, station
        login = login_key(credentials.login).encode(errors="replace")
        return f"{place} {credentials.proof} {hashlib.sha256(login).hexdigest()[:32]}", station


def _read_all(connection: Connection) -> tuple[store.Accounts, Tokens]:
    return store.read_accounts(connection), read_tokens(connection)
