"""Messages to the phone and to chats: ntfy, Slack, Microsoft Teams, Telegram.

What a person or a machine wrote is never markup: it cannot call a whole channel, hide a link or
close a field. ntfy: docs.ntfy.sh/publish, "Publish as JSON". Slack: docs.slack.dev, "Sending
messages using incoming webhooks" and "Formatting message text". Teams: learn.microsoft.com,
"Create incoming webhooks with Workflows"; adaptivecards.io, RichTextBlock. Telegram:
core.telegram.org/bots/api, sendMessage.
"""

from collections.abc import Mapping
from typing import Any

from cnc_station.engine.domain.alerts import Severity
from cnc_station.engine.domain.message_formats.base import Endpoint, HttpMessage, cut, posted
from cnc_station.engine.domain.messages import Message

MOST_NTFY = 4_000  # bytes: a longer message becomes an attachment
MOST_TELEGRAM = 4_096  # UTF-16 units
_MOST_LINES = 40

PRIORITIES: Mapping[str, int] = {Severity.INFO: 3, Severity.WARNING: 4, Severity.CRITICAL: 5}
_TAGS: Mapping[str, str] = {
    Severity.INFO: "information_source",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "rotating_light",
}
_COLOURS: Mapping[str, str] = {
    Severity.INFO: "Default",
    Severity.WARNING: "Warning",
    Severity.CRITICAL: "Attention",
}


def ntfy(endpoint: Endpoint, message: Message, _key: str) -> HttpMessage:
    """Publish as JSON to the server's root: headers could not carry every title."""
    server, _, topic = endpoint.address.rpartition("/")
    priority = {**PRIORITIES, **endpoint.options.priorities}[message.urgency]
    authorization = {"Authorization": f"Bearer {endpoint.secret}"} if endpoint.secret else {}
    return posted(
        f"{server}/",
        {
            "topic": topic,
            "title": message.title,
            "message": cut(message.text or message.title, MOST_NTFY),
            "priority": priority,
            "tags": [_TAGS[message.urgency], *endpoint.options.tags],
        },
        **authorization,
    )


def slack(endpoint: Endpoint, message: Message, _key: str) -> HttpMessage:
    """Post the text: with `&`, `<` and `>` escaped it contains no link and calls nobody."""
    title, text = (
        part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for part in (message.title, message.text)
    )
    bold = f"*{title}*" if "*" not in title else title
    return posted(endpoint.address, {"text": f"{bold}\n{text}" if text else bold})


def teams(endpoint: Endpoint, message: Message, _key: str) -> HttpMessage:
    """Post an Adaptive Card of text runs, which Teams does not read as Markdown."""
    colour = _COLOURS[message.urgency]
    heading = {"type": "TextRun", "text": message.title, "weight": "Bolder", "color": colour}
    lines = [line for line in message.text.split("\n") if line.strip()][:_MOST_LINES]
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [_block({**heading, "size": "Medium"})]
        + [_block({"type": "TextRun", "text": line}) for line in lines],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return posted(endpoint.address, {"type": "message", "attachments": [attachment]})


def _block(run: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [run]}


def telegram(endpoint: Endpoint, message: Message, _key: str) -> HttpMessage:
    """Send plain text, without a parse mode. What is only for information makes no sound."""
    return posted(
        f"{endpoint.address.rstrip('/')}/bot{endpoint.secret}/sendMessage",
        {
            "chat_id": endpoint.options.chat,
            "text": cut(message.sentence, MOST_TELEGRAM * 2, "utf-16-le"),
            "link_preview_options": {"is_disabled": True},
            "disable_notification": message.urgency is Severity.INFO,
        },
    )
