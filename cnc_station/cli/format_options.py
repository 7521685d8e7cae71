"""The options of `webhook add` and `edit`: the address of an endpoint, its format, its needs."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.message_formats.options import (
    METHODS,
    TELEGRAM_API,
    BodyKind,
    FormatOptions,
    MessageFormat,
    Template,
)
from cnc_station.engine.domain.webhooks import DEFAULT_EVENTS, WebhookSpec
from cnc_station.engine.views.webhooks import WebhookRow

FROM_STDIN = "use the secret (token) in the first line of stdin"
_BODIES = {
    BodyKind.JSON: """'{"text": "{title}"}'""",
    BodyKind.FORM: "'message={title}'",
    BodyKind.TEXT: "'{title}'",
}


def add_format_options(parser: ArgumentParser) -> None:
    """Add the arguments that `spec_of` and `secret_of` read."""
    add_changes(parser)
    add = parser.add_argument
    kinds = [kind.value for kind in MessageFormat]
    add("--format", choices=kinds, default="webhook", help="how it is told (webhook)")
    add("--secret-from-stdin", action="store_true", help=FROM_STDIN)


def add_changes(parser: ArgumentParser) -> None:
    """Add the arguments that `changed_spec` reads."""
    add = parser.add_argument
    add("url", metavar="URL", nargs="?", help="https://erp.example/hooks, mailto:anna@shop.example")
    add("--event", action="append", metavar="NAME", help="job:completed (repeat)")
    add("--tenant", metavar="NAME", help="only about jobs of this customer")
    add("--url-from-stdin", action="store_true", help="read URL from stdin, for it is a secret")
    add("--chat", metavar="ID", help="telegram: the number of the chat, or @channel")
    add("--tag", action="append", default=[], metavar="TAG", help="ntfy: one more tag (repeat)")
    add(
        "--ntfy-priority",
        action="append",
        default=[],
        metavar="SEVERITY=N",
        help="ntfy: info=2, warning=4, critical=5 (repeat)",
    )
    add("--method", choices=METHODS, help="template: (POST)")
    add(
        "--header",
        action="append",
        default=[],
        metavar="HEADER",
        help="template: 'Authorization: Bearer {secret}' (repeat)",
    )
    body = parser.add_mutually_exclusive_group()
    for kind, example in _BODIES.items():
        body.add_argument(f"--body-{kind}", metavar="BODY", help=f"template: {example}")


def spec_of(args: Namespace) -> WebhookSpec:
    """Return the endpoint that the arguments describe. Raises InvalidInput."""
    kind = MessageFormat(args.format)
    url = sys.stdin.readline().strip() if args.url_from_stdin else args.url
    if url is None and kind is MessageFormat.TELEGRAM:
        url = TELEGRAM_API
    if url is None:
        raise InvalidInput(FieldError("url", "is missing"))
    if args.event is None:  # chats and mails are for alerts, unless somebody wants more
        events = DEFAULT_EVENTS if kind is MessageFormat.WEBHOOK else ()
    else:
        events = tuple(args.event)
    options = FormatOptions(
        args.chat,
        tuple(args.tag),
        dict(_priority(text) for text in args.ntfy_priority),
        _template(args),
    )
    return WebhookSpec(url, events, args.tenant, format=kind, options=options)


def changed_spec(args: Namespace, row: WebhookRow) -> WebhookSpec:
    """Return an endpoint with what the arguments change; the rest stays. Raises InvalidInput."""
    url = sys.stdin.readline().strip() if args.url_from_stdin else args.url
    old = row.options
    options = FormatOptions(
        old.chat if args.chat is None else args.chat,
        tuple(args.tag) or old.tags,
        {**old.priorities, **dict(_priority(text) for text in args.ntfy_priority)},
        _changed_template(args, old.template),
    )
    return WebhookSpec(
        row.url if url is None else url,
        row.events if args.event is None else tuple(args.event),
        None if args.all_tenants else args.tenant or row.tenant,
        row.enabled,
        row.format,
        options,
    )


def secret_of(args: Namespace) -> str | None:
    """Return the secret from stdin, None if there is none."""
    return sys.stdin.readline().rstrip("\r\n") if args.secret_from_stdin else None


def _priority(text: str) -> tuple[str, int]:
    severity, _, number = text.partition("=")
    if not number.isascii() or not number.isdecimal():
        raise InvalidInput(FieldError("ntfy-priority", "must be written as critical=5"))
    return severity.strip().lower(), int(number[:3])


def _template(args: Namespace) -> Template | None:
    return _changed_template(args, Template() if args.format == "template" else None)


def _changed_template(args: Namespace, old: Template | None) -> Template | None:
    bodies = {kind: getattr(args, f"body_{kind}") for kind in _BODIES}
    given = {kind: body for kind, body in bodies.items() if body is not None}
    if not given and not args.header and args.method is None:
        return old
    old = old or Template()
    kind, body = next(iter(given.items()), (old.kind, old.body))
    headers = dict(_headers(args.header)) or old.headers
    return Template(args.method or old.method, headers, kind, body)


def _headers(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise InvalidInput(FieldError("header", "must be written as 'Name: value'"))
        yield name.strip(), value.strip()
