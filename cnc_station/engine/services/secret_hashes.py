"""Hashes of passwords, PINs and badges: argon2id by argon2-cffi (RFC 9106, second recommended
option), off the loop, at most two at once.

A PIN has few digits, so its hash alone would be guessed in minutes by whoever has a copy of the
database. It is mixed with a key that is kept apart from the database before it is hashed. A badge
is looked up by its HMAC with the same key.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHash
from argon2.profiles import RFC_9106_LOW_MEMORY

from cnc_station.engine.domain.accounts import Proof, normal_secret

T = TypeVar("T")
HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
AT_ONCE = 2


class SecretHashes:
    """Makes and verifies hashes. `pin_key` is the key that is kept apart; b"": there is none yet,
    and neither PINs nor badges can be hashed."""

    def __init__(self, pin_key: bytes = b"") -> None:
        self.pin_key = pin_key
        self._hasher = HASHER
        self._free = asyncio.Semaphore(AT_ONCE)
        self._of_nobody = ""

    @property
    def pin_key_name(self) -> str:
        """Which key it is, without telling it."""
        return hashlib.sha256(b"cnc-station pin key " + self.pin_key).hexdigest()[:16]

    async def make(self, proof: Proof, secret: str) -> str:
        """Return the hash of a secret to store."""
        mixed = self._mixed(proof, secret)
        return mixed if proof is Proof.BADGE else await self._apart(self._hasher.hash, mixed)

    async def matches(self, proof: Proof, secret: str, stored: str | None) -> bool:
        """Whether a secret is the one of a stored hash. It takes as long without one: how long an
        answer takes does not tell which accounts there are."""
        mixed = self._mixed(proof, secret)
        if proof is Proof.BADGE:
            return stored is not None and hmac.compare_digest(mixed, stored)
        if not self._of_nobody:
            self._of_nobody = await self._apart(self._hasher.hash, "nobody")
        right = await self._apart(self._verified, stored or self._of_nobody, mixed)
        return right and stored is not None

    def badge(self, secret: str) -> str:
        """Return the stored form of a badge."""
        return self._mixed(Proof.BADGE, secret)

    def _mixed(self, proof: Proof, secret: str) -> str:
        normal = normal_secret(proof, secret)
        if proof is Proof.PASSWORD:
            return normal
        return hmac.new(self.pin_key, f"{proof}:{normal}".encode(), hashlib.sha256).hexdigest()

    def _verified(self, stored: str, secret: str) -> bool:
        try:
            return self._hasher.verify(stored, secret)
        except (Argon2Error, InvalidHash):
            return False

    async def _apart(self, work: Callable[..., T], *given: str) -> T:
        async with self._free:
            return await asyncio.to_thread(work, *given)
