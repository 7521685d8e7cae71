"""What an endpoint needs by its format: which fields its form shows, and their editors."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QWidget

from cnc_station.engine.domain.alerts import Severity
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.message_formats import placeholders
from cnc_station.engine.domain.message_formats.options import (
    METHODS,
    TELEGRAM_API,
    BodyKind,
    FormatOptions,
    MessageFormat,
    Template,
)
from cnc_station.ui.widgets.fields import Field, NumberBox
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox
from cnc_station.ui.widgets.text import Note

MAILTO = "mailto:"
_BODY_HEIGHT, _HEADERS_HEIGHT = 110, 60
_MOST_PRIORITY = 5
_OWN_FIELDS: Mapping[MessageFormat, frozenset[str]] = {
    MessageFormat.WEBHOOK: frozenset({"secret"}),
    MessageFormat.NTFY: frozenset({"tags", "priorities", "secret"}),
    MessageFormat.SLACK: frozenset(),
    MessageFormat.TEAMS: frozenset(),
    MessageFormat.TELEGRAM: frozenset({"chat", "secret"}),
    MessageFormat.EMAIL: frozenset(),
    MessageFormat.TEMPLATE: frozenset({"method", "kind", "headers", "body", "secret"}),
}


@dataclass(frozen=True, slots=True)
class FormatWords:
    """What the form says about a format: `address` is the label of its address with `example`,
    `secret` the label of its secret with `secret_hint`."""

    name: str
    address: str
    example: str
    hint: str = ""
    secret: str = ""
    secret_hint: str = ""


def format_words() -> dict[MessageFormat, FormatWords]:
    """The words of each format."""
    address, optional = _tr("Address"), _tr("empty: none")
    secret_address = _tr("Whoever knows it may post: it is stored as a secret and not shown again.")
    return {
        MessageFormat.WEBHOOK: FormatWords(
            _tr("Webhook"),
            address,
            "https://erp.example/hooks",
            secret=_tr("Secret"),
            secret_hint=_tr("It signs every delivery. Empty: one is made and shown once."),
        ),
        MessageFormat.NTFY: FormatWords(
            "ntfy",
            address,
            "https://ntfy.sh/shop-a7f3",
            _tr("It ends with the topic."),
            _tr("Access token"),
            optional,
        ),
        MessageFormat.SLACK: FormatWords(
            "Slack", address, "https://hooks.slack.com/services/…", secret_address
        ),
        MessageFormat.TEAMS: FormatWords(
            "Teams", address, "https://….logic.azure.com/workflows/…", secret_address
        ),
        MessageFormat.TELEGRAM: FormatWords(
            "Telegram", address, TELEGRAM_API, "", _tr("Token of the bot"), "123456:ABC-DEF1234"
        ),
        MessageFormat.EMAIL: FormatWords(
            _tr("E-mail"),
            _tr("Recipients"),
            "anna@shop.example, bob@shop.example",
            _tr("The mail server is set in the settings (smtp_host)."),
        ),
        MessageFormat.TEMPLATE: FormatWords(
            _tr("Template"),
            address,
            "https://sms.example/send?text={title}",
            "",
            _tr("Secret"),
            _tr("It stands where {secret} is written; others never see it."),
        ),
    }


def format_name(chosen: MessageFormat) -> str:
    """How people call a format."""
    return format_words()[chosen].name


class FormatFields:
    """The fields of all formats, of which those of one are shown at a time."""

    def __init__(self) -> None:
        self.chat = QLineEdit()
        self.tags = QLineEdit()
        self.priorities = PriorityChoice()
        self.method, self.kind = QComboBox(), QComboBox()
        self.method.addItems(METHODS)
        self.method.setCurrentText("POST")
        self.kind.addItems([kind.value for kind in BodyKind])
        self.headers, self.body = QPlainTextEdit(), QPlainTextEdit()
        self.headers.setFixedHeight(_HEADERS_HEIGHT)
        self.body.setFixedHeight(_BODY_HEIGHT)
        names = " ".join(f"{{{name}}}" for name in placeholders.NAMES)
        chat = _tr("the number of a chat, or @ and the name of a channel")
        self.fields: dict[str, Field] = {
            "chat": Field(_tr("Chat"), self.chat, hint=chat, wanted=True),
            "tags": Field(_tr("Tags"), self.tags, hint=_tr("words such as warning, or none")),
            "priorities": Field(
                _tr("Priority"), self.priorities, hint=_tr("5 is the most urgent one")
            ),
            "method": Field(_tr("Method"), self.method),
            "kind": Field(_tr("Body as"), self.kind),
            "headers": Field(_tr("Headers"), self.headers, hint=_tr("a line each: Name: value")),
            "body": Field(
                _tr("Body"), self.body, hint=_tr("It may contain {names}").format(names=names)
            ),
        }

    def show_for(self, chosen: MessageFormat) -> None:
        """Show the fields of a format and hide the others."""
        for name, field in self.fields.items():
            field.setVisible(name in _OWN_FIELDS[chosen])

    def fill(self, options: FormatOptions) -> None:
        """Show stored options."""
        self.chat.setText(options.chat or "")
        self.tags.setText(" ".join(options.tags))
        self.priorities.set_value(options.priorities)
        if (template := options.template) is not None:
            self.method.setCurrentText(template.method)
            self.kind.setCurrentText(template.kind.value)
            lines = (f"{name}: {value}" for name, value in template.headers.items())
            self.headers.setPlainText("\n".join(lines))
            self.body.setPlainText(template.body)

    def options(self, chosen: MessageFormat) -> FormatOptions:
        """Return what is typed for a format. Raises InvalidInput for a header without a colon."""
        if chosen is MessageFormat.TELEGRAM:
            return FormatOptions(chat=self.chat.text().strip())
        if chosen is MessageFormat.NTFY:
            tags = tuple(self.tags.text().replace(",", " ").split())
            return FormatOptions(tags=tags, priorities=self.priorities.value)
        if chosen is MessageFormat.TEMPLATE:
            return FormatOptions(
                template=Template(
                    self.method.currentText(),
                    _headers(self.headers.toPlainText()),
                    BodyKind(self.kind.currentText()),
                    self.body.toPlainText(),
                )
            )
        return FormatOptions()


def takes_typed_secret(chosen: MessageFormat) -> bool:
    """Whether a secret can be typed besides the address."""
    return "secret" in _OWN_FIELDS[chosen]


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon:
            raise InvalidInput(FieldError("headers", _tr("must be written as Name: value")))
        found[name.strip()] = value.strip()
    return found


class PriorityChoice(QWidget):
    """A number from 1 to 5 for each severity; the receiver's usual one where none is chosen."""

    def __init__(self) -> None:
        super().__init__()
        words = {
            Severity.INFO: _tr("Information"),
            Severity.WARNING: _tr("Warning"),
            Severity.CRITICAL: _tr("Critical"),
        }
        self.boxes = {severity: NumberBox(0, _MOST_PRIORITY, 0) for severity in Severity}
        line = hbox(on=self, gap=8)
        for severity, box in self.boxes.items():
            box.setSpecialValueText(_tr("usual"))
            box.setAccessibleName(words[severity])
            fill(line, Note(words[severity]), box)
        fill(line, STRETCH)
        self.setFocusProxy(next(iter(self.boxes.values())))

    @property
    def value(self) -> dict[str, int]:
        return {severity.value: box.value() for severity, box in self.boxes.items() if box.value()}

    def set_value(self, priorities: Mapping[str, int]) -> None:
        for severity, box in self.boxes.items():
            box.setValue(priorities.get(severity.value, 0))


def _tr(english: str) -> str:
    return QCoreApplication.translate("Format", english)
