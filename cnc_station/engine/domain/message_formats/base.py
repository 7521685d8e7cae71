"""What every format works with: an endpoint, the request or mail that it makes, and its limits."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, quote_plus, urlsplit

from cnc_station.engine.domain.message_formats.options import (
    SECRET_ADDRESS,
    FormatOptions,
    MessageFormat,
)
from cnc_station.engine.domain.messages import Message

MASK = "•••"
_CUT = "…"
_LONG_PART = 12


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a station sends to. `secrets`: the newest first. If the address is a secret, it is the
    only one of them, and `url` is what people are shown of it."""

    id: int
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    format: MessageFormat = MessageFormat.WEBHOOK
    options: FormatOptions = field(default_factory=FormatOptions)

    @property
    def secret(self) -> str:
        return self.secrets[0] if self.secrets else ""

    @property
    def address(self) -> str:
        """Where requests go."""
        return self.secret if self.format in SECRET_ADDRESS else self.url


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request over HTTP."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A message by e-mail. `key` is the same in every try."""

    recipients: tuple[str, ...]
    subject: str
    text: str
    key: str
    at: int


Present = Callable[[Endpoint, Message, str], HttpMessage | Mail]


def posted(url: str, content: Mapping[str, object], **headers: str) -> HttpMessage:
    """Return a POST of JSON."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return HttpMessage("POST", url, {"Content-Type": "application/json", **headers}, body)


def cut(text: str, most: int, encoding: str = "utf-8") -> str:
    """Return the beginning of a text that has at most `most` bytes in an encoding; a text that is
    cut ends with `…`."""
    if len(text.encode(encoding)) <= most:
        return text
    room = most - len(_CUT.encode(encoding))
    return text.encode(encoding)[:room].decode(encoding, errors="ignore") + _CUT


def shown_address(url: str) -> str:
    """Return what people are shown of an address that is a secret."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}/…"


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, in whatever spelling a request contains them."""
    for spelling in _spellings(tuple(secrets)):
        text = text.replace(spelling, MASK)
    return text


@lru_cache(maxsize=64)
def _spellings(secrets: tuple[str, ...]) -> Sequence[str]:
    """The longest first. Kept, as they take longer than all else of a delivery's log."""
    spellings = {
        spelling
        for secret in secrets
        for part in _parts(secret)
        for spelling in (part, quote(part, safe=""), quote_plus(part), json.dumps(part)[1:-1])
    }
    return sorted(spellings, key=len, reverse=True)


def _parts(secret: str) -> Iterator[str]:
    """What is secret of a secret: of an address, each part that is too long for a plain word."""
    if secret:
        yield secret
    if "://" in secret:
        parts = urlsplit(secret)
        yield f"{parts.path}?{parts.query}" if parts.query else parts.path
        for part in re.split(r"[/&=]", f"{parts.path}/{parts.query}"):
            if len(part) >= _LONG_PART:
                yield part
