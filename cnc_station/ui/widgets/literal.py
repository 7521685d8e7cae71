"""Show outside text as it is written: no markup, no mnemonics, nothing invisible, nothing endless.

Qt takes a tip or a label that begins like HTML for HTML, and loads the pictures that it names: one
that names a pipe stops the window for good. Outside text is every name, message and cell that came
from a file, a controller, another program or a person. The style sheet makes each `QLabel` and
`QToolTip` plain, Qt's own too; the functions here make the text itself harmless and readable.
"""

import re
from typing import Protocol

from PySide6.QtCore import QPoint
from PySide6.QtGui import Qt
from PySide6.QtWidgets import QToolTip, QWidget

LONGEST_TEXT = 20_000
LONGEST_LINE = 1_000
LONGEST_TIP = 2_000
MOST_TIP_LINES = 40

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile(r"\r\n?")
_GAPS = re.compile(r"[\t\n]+")
_NO_MARKUP = str.maketrans("<>&", "\u2039\u203a+")
_JOINER = "\u2060"
"""The word joiner: it has no width, and `<` before it does not begin a tag."""


class HasTip(Protocol):
    """A widget, an item or an icon with a tool tip."""

    def setToolTip(self, text: str, /) -> object:
        """Set the text that Qt shows when the pointer rests there."""


def plain(text: str, most: int = LONGEST_TEXT) -> str:
    """Return at most `most` characters of a text of several lines, with a control character as its
    code: `[U+001B]`."""
    text = _cut(text, most)
    if text.isprintable():
        return text
    return _cut(_UNSEEN.sub(_code, _LINE_ENDS.sub("\n", text)), most)


def one_line(text: str, most: int = LONGEST_LINE) -> str:
    """Return `plain` text for a place that has one line."""
    text = plain(text, most)
    return text if text.isprintable() else _GAPS.sub(" ", text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _code(match: re.Match[str]) -> str:
    return f"[U+{ord(match[0]):04X}]"


def tip(text: str) -> str:
    """Return the text of a tool tip; Qt never takes the result for rich text."""
    text = plain(text, LONGEST_TIP)
    lines = text.split("\n", MOST_TIP_LINES)
    if len(lines) > MOST_TIP_LINES:
        text = "\n".join((*lines[:MOST_TIP_LINES], "…"))
    if Qt.mightBeRichText(text):
        text = text.replace("<", f"<{_JOINER}").replace("&lt;", f"&{_JOINER}lt;")
    return text


def set_tip(target: HasTip, text: str) -> None:
    """Set a tool tip."""
    target.setToolTip(tip(text))


def show_tip(where: QPoint, text: str, widget: QWidget) -> None:
    """Show a tool tip now at a point of the screen; an empty text hides it."""
    QToolTip.showText(where, tip(text), widget)


def caption(text: str) -> str:
    """Return the text of a button, menu entry or tab, where Qt takes a single `&` for a key."""
    return one_line(text).replace("&", "&&")


def from_caption(text: str) -> str:
    """Return the text that a caption shows."""
    return text.replace("&&", "&")


def window_title(text: str) -> str:
    """Return the title of a window, where Qt takes `[*]` for the mark of unsaved changes."""
    return one_line(text).replace("[*]", "[*][*]")


def message_text(text: str) -> str:
    """Return the text of a desktop message. Desktops take markup in it: no character of the result
    begins any."""
    return one_line(text).translate(_NO_MARKUP)
