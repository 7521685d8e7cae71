"""Text is made literal: what each function leaves as it is, and what it makes readable."""

import pytest
from PySide6.QtGui import QAction, QKeySequence, Qt
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QInputDialog,
    QLabel,
    QMessageBox,
    QToolTip,
    QWidget,
)

from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.facts import Details
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.literal import (
    LONGEST_LINE,
    LONGEST_TEXT,
    LONGEST_TIP,
    MOST_TIP_LINES,
    caption,
    from_caption,
    one_line,
    plain,
    set_tip,
    tip,
    window_title,
)
from cnc_station.ui.widgets.text import ElidedLabel, Text
from tests.ui.outside_text import MARKUP, Walk, WatchedPipe, tip_labels
from tests.until import until

ORDINARY = (
    "Bracket v2 · r3",
    "Ø22 < Ø25",
    "1.5\u00a0mm, Kühlung",
    "one\ntwo",
    "a & b",
    "日本語 🙂",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == tip(text) == text


@pytest.mark.parametrize("letter", "\0\x1b\x7f\x9c\u200b\u202e\u2028\u2066\ufeff\ud800\U000e0041")
def test_a_character_that_cannot_be_seen_is_shown_as_its_code(letter: str) -> None:
    shown = f"a[U+{ord(letter):04X}]b"
    assert plain(f"a{letter}b") == one_line(f"a{letter}b") == tip(f"a{letter}b") == shown
    assert caption(f"a{letter}b") == window_title(f"a{letter}b") == shown


def test_the_ends_of_lines_are_one_kind_and_a_place_of_one_line_has_none() -> None:
    assert plain("a\r\nb\rc\n") == "a\nb\nc\n"
    assert one_line("a\r\nb\tc\n\nd") == "a b c d"


def test_no_text_is_without_end() -> None:
    for made, most in ((plain, LONGEST_TEXT), (one_line, LONGEST_LINE), (tip, LONGEST_TIP)):
        for letter in ("x", "\0", "é"):
            assert len(made(letter * 10_000_000)) == most
            assert made(made(letter * most * 2)) == made(letter * most * 2)
    assert tip("line\n" * 1_000).count("\n") == MOST_TIP_LINES


@pytest.mark.parametrize(
    "text",
    [
        MARKUP,
        "<b>",
        " \n\t<img src=p>",
        "<?xml version='1.0'?><b>",
        "a &lt; b <b>",
        "&lt;b&gt;",
        "<A HREF=x>",
    ],
)
def test_qt_takes_no_tip_for_rich_text(text: str) -> None:
    assert Qt.mightBeRichText(text)
    assert not Qt.mightBeRichText(tip(text))
    assert tip(text).replace("\u2060", "") == text


def test_a_caption_has_no_key_and_reads_as_it_was_written(qapp: QApplication) -> None:  # noqa: ARG001 - an action needs it
    for text in ("Drill & &tap", "&&", "&", "a&&b"):
        assert QKeySequence.mnemonic(QAction(caption(text)).text()).isEmpty()
        assert from_caption(caption(text)) == text
        for made in (Button(text), FilterChip(text), HoldButton(text)):
            assert made.text() == text
            assert made.shortcut().isEmpty()
            made.setText(f"{text}!")
            assert made.text() == f"{text}!"
            assert made.shortcut().isEmpty()
            made.deleteLater()


def test_the_mark_of_unsaved_changes_is_an_ordinary_text_of_a_title() -> None:
    window = QWidget()
    window.setWindowTitle(window_title("a [*] b"))
    window.show()
    assert window.windowHandle().title() == "a [*] b"
    window.deleteLater()


def test_a_label_is_plain_and_a_long_one_wraps() -> None:
    label = Text(f"{MARKUP} " * 9, wrap=True)
    assert label.textFormat() is Qt.TextFormat.PlainText
    assert label.heightForWidth(200) > 3 * label.fontMetrics().height()
    label.deleteLater()


def test_the_same_text_again_changes_nothing_whatever_is_in_it() -> None:
    details, line = Details(), ElidedLabel("a\0b")
    details.set_words("a\0b")
    details.button.click()
    details.set_words("a\0b")
    assert not details.words.isHidden()
    assert line.text() == line.toolTip() == "a[U+0000]b"
    for widget in (details, line):
        widget.deleteLater()


@pytest.mark.usefixtures("dressed")
async def test_a_tip_wider_than_the_screen_wraps_and_a_short_one_does_not() -> None:
    widget = QWidget()
    widget.show()
    heights = []
    for text in ("<b> is shown as it is", "<b> many words " * 100):
        set_tip(widget, text)
        QToolTip.showText(widget.mapToGlobal(widget.rect().center()), widget.toolTip(), widget)
        (label,) = tip_labels()
        assert label.width() <= widget.screen().geometry().width()
        heights.append(label.height())
        QToolTip.hideText()
        await until(lambda: not tip_labels())
    assert heights[1] > 3 * heights[0]
    widget.deleteLater()


@pytest.mark.usefixtures("dressed")
async def test_qts_own_dialogs_show_outside_text_as_it_is_written(pipe: WatchedPipe) -> None:
    """Qt's file dialog asks with such boxes about the files of a folder."""
    parent = QWidget()
    parent.show()
    box = QMessageBox(QMessageBox.Icon.Warning, "CNC Station", MARKUP, parent=parent)
    box.setInformativeText(MARKUP)
    line = QInputDialog(parent)
    line.setLabelText(MARKUP)
    shown: tuple[QDialog, ...] = (box, line)
    for dialog in shown:
        dialog.open()
        dialog.grab()
        assert pipe.readers == 0
        assert MARKUP in {label.text() for label in dialog.findChildren(QLabel)}
        dialog.close()
    parent.deleteLater()


@pytest.mark.usefixtures("dressed")
async def test_a_tip_that_was_set_past_the_rule_is_shown_as_it_is_written(
    pipe: WatchedPipe,
) -> None:
    widget = QWidget()
    widget.show()
    walk = Walk()
    widget.setToolTip(MARKUP)
    walk.over(widget)
    assert len(walk.wrong) == 1  # the text is named, but what was shown of it is plain
    assert walk.seen["shown tip"] == 1
    assert pipe.readers == 0
    QToolTip.hideText()
    await until(lambda: not tip_labels())
    widget.deleteLater()


async def test_a_picture_that_is_loaded_is_noticed(qapp: QApplication, pipe: WatchedPipe) -> None:
    """What the tests above rest on: Qt reads the pipe where nothing keeps it from it."""
    sheet = qapp.styleSheet()
    qapp.setStyleSheet("")
    label = QLabel(MARKUP)
    label.grab()
    assert pipe.readers
    label.deleteLater()
    qapp.setStyleSheet(sheet)
