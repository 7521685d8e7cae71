"""What a person states about a format: its options, and what is wrong with them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from cnc_station.engine.domain import checks, json_text
from cnc_station.engine.domain.admission import Text, text_faults
from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.domain.message_formats import placeholders

METHODS = ("GET", "POST", "PUT", "PATCH")
TELEGRAM_API = "https://api.telegram.org"
MOST_RECIPIENTS = 20
MOST_TEMPLATE = 8_000
_MOST_HEADERS = 20
_MOST_TAGS = 5
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_CREDENTIAL = re.compile(r"authorization|cookie|.*(key|token|secret|password)", re.IGNORECASE)
_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64}")
_TAG = re.compile(r"[\w+-]{1,40}")
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"(?=.{1,255}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9-]{1,63})*"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_LOCAL}@{_DOMAIN}")
_BOT_TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{10,100}")
_BEARER = re.compile(r"[!-~]+")


class MessageFormat(StrEnum):
    """How an endpoint is told."""

    WEBHOOK = "webhook"
    NTFY = "ntfy"
    SLACK = "slack"
    TEAMS = "teams"
    TELEGRAM = "telegram"
    EMAIL = "email"
    TEMPLATE = "template"


SECRET_ADDRESS = frozenset({MessageFormat.SLACK, MessageFormat.TEAMS})
"""Formats whose address itself is the secret: whoever knows it may post."""


class BodyKind(StrEnum):
    """How the body of a template is written, and so how its values are escaped."""

    JSON = "json"
    FORM = "form"
    TEXT = "text"


CONTENT_TYPES: Mapping[BodyKind, str] = {
    BodyKind.JSON: "application/json",
    BodyKind.FORM: "application/x-www-form-urlencoded",
    BodyKind.TEXT: "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Template:
    """A request with placeholders such as `{title}`; see `placeholders.NAMES`."""

    TEXTS: ClassVar = {"body": Text(MOST_TEMPLATE, lines=True)}

    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: BodyKind = BodyKind.JSON
    body: str = ""


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """What a format needs besides an address and a secret; the fields of others stay empty.

    `chat` is the chat of Telegram; `tags` and `priorities` (by severity, 1 to 5) are of ntfy.
    """

    chat: str | None = None
    tags: Sequence[str] = ()
    priorities: Mapping[str, int] = field(default_factory=dict)
    template: Template | None = None


def recipients(address: str) -> tuple[str, ...]:
    """Return the recipients of `mailto:anna@shop.example,bob@shop.example`."""
    return tuple(one.strip() for one in address.partition(":")[2].split(","))


def address_errors(address: str) -> Iterable[FieldError]:
    """Yield what is wrong with the address of an e-mail endpoint."""
    if not address.lower().startswith("mailto:"):
        yield FieldError("url", "must be an address such as mailto:anna@shop.example")
        return
    found = recipients(address)
    if len(found) > MOST_RECIPIENTS:
        yield FieldError("url", f"at most {MOST_RECIPIENTS} recipients")
    for one in found[:MOST_RECIPIENTS]:
        if not is_mail_address(one):
            yield FieldError("url", f"{one!r} is not an e-mail address")


def is_mail_address(text: str) -> bool:
    """Return whether it is an address that every mail server takes, without a name around it."""
    return _ADDRESS.fullmatch(text) is not None


def option_errors(
    kind: MessageFormat, url: str, options: FormatOptions, severities: Iterable[str]
) -> Iterable[FieldError]:
    """Yield what is wrong with the options of a format at an address that is valid."""
    yield from _foreign(kind, options)
    if kind is MessageFormat.NTFY:
        yield from _ntfy_errors(url, options, severities)
    if kind is MessageFormat.TELEGRAM and not _CHAT.fullmatch(options.chat or ""):
        yield FieldError("chat", "must be the number of a chat, or @ and the name of a channel")
    if kind in SECRET_ADDRESS and not url.isascii():
        yield FieldError("url", "must be the complete address")
    if kind is MessageFormat.TEMPLATE:
        yield from _template_errors(url, options.template)


def _foreign(kind: MessageFormat, options: FormatOptions) -> Iterable[FieldError]:
    owners = {
        "chat": MessageFormat.TELEGRAM,
        "tags": MessageFormat.NTFY,
        "priorities": MessageFormat.NTFY,
        "template": MessageFormat.TEMPLATE,
    }
    for name, owner in owners.items():
        if getattr(options, name) and kind is not owner:
            yield FieldError(name, f"belongs to the format {owner}, not to {kind}")


def _ntfy_errors(
    url: str, options: FormatOptions, severities: Iterable[str]
) -> Iterable[FieldError]:
    if not re.fullmatch(r"https?://[^/?#]+/(?:[^?#]*/)?[-_A-Za-z0-9]{1,64}", url):
        yield FieldError("url", "must end with a topic, such as https://ntfy.sh/shop-a7f3")
    if len(options.tags) > _MOST_TAGS or not all(_TAG.fullmatch(tag) for tag in options.tags):
        yield FieldError("tags", f"must be at most {_MOST_TAGS} words such as warning")
    known = frozenset(severities)
    for severity, priority in options.priorities.items():
        if severity not in known:
            yield FieldError("priorities", f"{severity!r} is not one of {', '.join(sorted(known))}")
        yield from checks.whole("priorities", priority, 1, 5)


def _template_errors(url: str, template: Template | None) -> Iterable[FieldError]:
    if template is None:
        yield FieldError("template", "is missing")
        return
    if not placeholders.keeps_host(url):
        yield FieldError("url", "must not have a placeholder in the name of the server")
    yield from _unknown("url", url)
    if template.method not in METHODS:
        yield FieldError("method", f"must be one of {', '.join(METHODS)}")
    if len(template.headers) > _MOST_HEADERS:
        yield FieldError("headers", f"at most {_MOST_HEADERS}")
    for name, value in template.headers.items():
        yield from _header_errors(name, value)
    yield from _body_errors(template)


def _header_errors(name: str, value: object) -> Iterable[FieldError]:
    if not _HEADER.fullmatch(name):
        yield FieldError("headers", f"{name!r} is not the name of a header")
    elif name.lower() in _OURS:
        yield FieldError(f"headers.{name}", "is set by CNC Station")
    elif not isinstance(value, str) or not value.isascii() or not value.isprintable():
        yield FieldError(f"headers.{name}", "must be one line of ASCII text")
    elif _CREDENTIAL.fullmatch(name) and not placeholders.present(value):
        yield FieldError(f"headers.{name}", "must use {secret}: others see this text")
    else:
        yield from _unknown(f"headers.{name}", value)


def _body_errors(template: Template) -> Iterable[FieldError]:
    faults = tuple(text_faults("body", template.body, Text(MOST_TEMPLATE, lines=True)))
    yield from faults
    if faults:
        return
    if template.method == "GET" and template.body:
        yield FieldError("body", "must be empty for GET")
    elif template.kind is BodyKind.JSON and template.body:
        try:
            json_text.parse(template.body, MOST_TEMPLATE * 4)
        except ValueError as error:
            yield FieldError("body", f"{error} (a placeholder stands inside quotation marks)")
            return
    yield from _unknown("body", template.body)


def _unknown(name: str, text: str) -> Iterable[FieldError]:
    for wrong in placeholders.unknown(text):
        known = ", ".join(f"{{{one}}}" for one in placeholders.NAMES)
        yield FieldError(name, f"has {{{wrong}}}, which is not one of {known}")


def needs_secret(kind: MessageFormat, options: FormatOptions, url: str) -> bool:
    """Return whether a person must state the secret, which the receiver made."""
    if kind is MessageFormat.TELEGRAM:
        return True
    template = options.template
    if kind is not MessageFormat.TEMPLATE or template is None:
        return False
    texts: Sequence[Any] = (url, template.body, *template.headers.values())
    return any("{secret}" in text for text in texts)


def takes_secret(kind: MessageFormat) -> bool:
    """Return whether a secret may be stated besides the address."""
    return kind not in SECRET_ADDRESS and kind is not MessageFormat.EMAIL


def token_errors(kind: MessageFormat, secret: str) -> Iterable[FieldError]:
    """Yield why a secret cannot be that of this format."""
    if kind is MessageFormat.TELEGRAM and not _BOT_TOKEN.fullmatch(secret):
        yield FieldError("secret", "must be the token of a bot, such as 123456:ABC-DEF1234ghIkl")
    if kind in (MessageFormat.NTFY, MessageFormat.TEMPLATE) and not _BEARER.fullmatch(secret):
        yield FieldError("secret", "must be ASCII without spaces")
