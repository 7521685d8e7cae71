"""Tokens: how long they are valid, and the keys that sign them."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from cnc_station.engine.domain import checks
from cnc_station.engine.domain.errors import FieldError

AUDIENCE = "cnc-station"
SIGN_ON_MS = 12 * 3_600_000
DAY_MS = 86_400_000
DEFAULT_DAYS, MOST_DAYS = 90, 366
MOST_TOKEN = 20_000  # characters: the tenants of an account may be many
MOST_LABEL = 60
ROTATION_OVERLAP_S = 86_400.0
MOST_OVERLAP_S = MOST_DAYS * 86_400.0


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key for HMAC-SHA256. It signs until there is a newer one, and is accepted until then (ms);
    None: without an end."""

    secret: str = field(repr=False)
    accepted_until: int | None = None

    @property
    def kid(self) -> str:
        """Which key it is, without telling it."""
        return hashlib.sha256(b"cnc-station token key " + self.secret.encode()).hexdigest()[:16]

    def accepted(self, now: int) -> bool:
        """Whether tokens that it signed are accepted."""
        return self.accepted_until is None or now < self.accepted_until


def new_key() -> SigningKey:
    """Return a key that nobody else has."""
    return SigningKey(secrets.token_urlsafe(48))


def service_token_errors(label: str, days: int) -> Iterator[FieldError]:
    """Yield what is wrong with a new token of a program."""
    yield from checks.text("label", label, MOST_LABEL, wanted=True)
    if not 1 <= days <= MOST_DAYS:
        yield FieldError("days", f"must be from 1 to {MOST_DAYS}")


def overlap_errors(overlap_s: float) -> Iterator[FieldError]:
    """Yield what is wrong with how long former keys stay accepted."""
    if not 0 <= overlap_s <= MOST_OVERLAP_S:
        yield FieldError("overlap_s", f"must be from 0 to {MOST_OVERLAP_S:.0f}")
