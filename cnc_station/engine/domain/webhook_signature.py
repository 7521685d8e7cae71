"""Signatures of webhooks, made and verified.

`X-Signature` is the hexadecimal HMAC-SHA256 of the body with the secret's text, as Node's
`createHmac("sha256", secret)` makes it. Beside it are the headers of Standard Webhooks 1.0, which
cover the time as well. While a secret is rotated, both are used.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
SIGNATURE, PREVIOUS_SIGNATURE = "X-Signature", "X-Signature-Previous"
DELIVERY_ID, EVENT = "X-Delivery-Id", "X-Event"
_ID, _TIMESTAMP, _SIGNATURES = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_S = 300


def new_secret() -> str:
    """Return a random secret in the form of Standard Webhooks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(
    secret_texts: Sequence[str], delivery: str, event: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """Return the headers of one attempt. The newest secret comes first."""
    signed = f"{delivery}.{timestamp_s}.".encode() + body
    made = {
        SIGNATURE: _hex(secret_texts[0], body),
        EVENT: event,
        DELIVERY_ID: delivery,
        _ID: delivery,
        _TIMESTAMP: str(timestamp_s),
        _SIGNATURES: " ".join(_standard(secret, signed) for secret in secret_texts),
    }
    if len(secret_texts) > 1:
        made[PREVIOUS_SIGNATURE] = _hex(secret_texts[1], body)
    return made


def verify(secret: str, received: Mapping[str, str], body: bytes, now_s: float) -> bool:
    """Whether one of the signatures is that of this secret. Names of headers in any case."""
    lower = {name.lower(): value for name, value in received.items()}
    own = _hex(secret, body)
    if any(
        hmac.compare_digest(own.encode(), lower.get(name.lower(), "").encode())
        for name in (SIGNATURE, PREVIOUS_SIGNATURE)
    ):
        return True
    timestamp = lower.get(_TIMESTAMP, "")
    if not timestamp.isdecimal() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{lower.get(_ID, '')}.{timestamp}.".encode() + body
    expected = _standard(secret, signed).encode()
    given = lower.get(_SIGNATURES, "").split()
    return any(hmac.compare_digest(expected, one.encode()) for one in given)


def _hex(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def _standard(secret: str, signed: bytes) -> str:
    digest = hmac.new(_key(secret), signed, "sha256").digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    """The bytes that a secret of Standard Webhooks encodes; of any other, its text."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
