import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain import text_gate

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from(
        "ab 1\t\r\n\x00\x1b\x9b\u202e\u200b\u0301\u0344\ud800\ufe0f\u1100\u1161\u212b\ufb2c"
    )
)
REFUSED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("char", "name"),
    [
        ("\x00", "a null character (U+0000)"),
        ("\x07", "a bell (U+0007)"),
        ("\t", "a tab (U+0009)"),
        ("\n", "a line break (U+000A)"),
        ("\r", "a carriage return (U+000D)"),
        ("\x1b", "an escape character (U+001B)"),
        ("\x7f", "a delete character (U+007F)"),
        ("\x85", "a control character (U+0085)"),
        ("\x9b", "a control sequence introducer (U+009B)"),
        ("\u00ad", "a soft hyphen (U+00AD)"),
        ("\u034f", "a combining grapheme joiner (U+034F)"),
        ("\u061c", "an arabic letter mark (U+061C)"),
        ("\u115f", "a hangul choseong filler (U+115F)"),
        ("\u180e", "a mongolian vowel separator (U+180E)"),
        ("\u200b", "a zero width space (U+200B)"),
        ("\u200d", "a zero width joiner (U+200D)"),
        ("\u200f", "a right-to-left mark (U+200F)"),
        ("\u2028", "a line separator (U+2028)"),
        ("\u2029", "a paragraph separator (U+2029)"),
        ("\u202a", "a left-to-right embedding (U+202A)"),
        ("\u202e", "a right-to-left override (U+202E)"),
        ("\u2060", "a word joiner (U+2060)"),
        ("\u2066", "a left-to-right isolate (U+2066)"),
        ("\u2069", "a pop directional isolate (U+2069)"),
        ("\u206a", "an inhibit symmetric swapping (U+206A)"),
        ("\u2800", "a braille pattern blank (U+2800)"),
        ("\u3164", "a hangul filler (U+3164)"),
        ("\ud800", "half of a surrogate pair (U+D800)"),
        ("\udfff", "half of a surrogate pair (U+DFFF)"),
        ("\ue000", "a private-use character (U+E000)"),
        ("\ufdd0", "a noncharacter (U+FDD0)"),
        ("\ufe0f", "a variation selector-16 (U+FE0F)"),
        ("\ufeff", "a zero width no-break space (U+FEFF)"),
        ("\uffa0", "a halfwidth hangul filler (U+FFA0)"),
        ("\ufff9", "an interlinear annotation anchor (U+FFF9)"),
        ("\uffff", "a noncharacter (U+FFFF)"),
        ("\U000e0041", "a tag latin capital letter a (U+E0041)"),
        ("\U000e0100", "a variation selector-17 (U+E0100)"),
        ("\U0010fffd", "a private-use character (U+10FFFD)"),
        ("\U0010ffff", "a noncharacter (U+10FFFF)"),
    ],
)
def test_a_character_that_misleads_is_named_with_its_place(char: str, name: str) -> None:
    assert text_gate.fault(f"Plate {char}7") == f"has {name} at character 7"
    shown = text_gate.visible(f"Plate {char}7")
    assert text_gate.fault(shown) is None
    assert f"{ord(char):x}7" in shown


@pytest.mark.parametrize(
    "text",
    [
        "Plate 7",
        "Größe 5 µm",
        "½ × 3 ² Ø 12",
        "部品 ７",  # noqa: RUF001 - full-width letters look different
        "деталь",
        "חלק",
        "ชิ้นส่วน",
        "Ho\u0302\u0301p",
        "a\u00a0b",
        "⚠ 🔧",
    ],
)
def test_names_of_all_languages_pass(text: str) -> None:
    assert text_gate.fault(text) is None
    assert text_gate.visible(text) == text


def test_names_that_look_equal_are_equal() -> None:
    assert text_gate.tidy("Gro\u0308\u00dfe") == text_gate.tidy(" Gr\u00f6\u00dfe\n") == "Größe"
    assert text_gate.tidy("Plate\u00a07") == text_gate.tidy("Plate\u20077") == "Plate 7"
    assert text_gate.tidy("a\r\nb\rc\n", lines=True) == "a\nb\nc"
    assert text_gate.tidy("Ｍ１") == "Ｍ１"  # noqa: RUF001 - full-width letters look different


def test_marks_that_have_no_letter_or_pile_up_are_refused() -> None:
    assert text_gate.fault("\u0301a") == "has a combining acute accent (U+0301) at character 1"
    assert text_gate.fault("a" + "\u0308" * 8) is None
    wrong = text_gate.fault("ab" + "\u0308" * 9)
    assert wrong == "has a combining diaeresis (U+0308) at character 11"


def test_a_note_may_have_lines_and_tabs_and_nothing_more() -> None:
    assert text_gate.fault("first\r\n\tsecond\n", lines=True) is None
    assert text_gate.fault("a\nb\x1b[2J", lines=True) is not None
    assert text_gate.visible("a\r\n\tb\rc\x1b", lines=True) == "a\n\tb\\x0dc\\x1b"


def test_a_text_of_a_machine_is_bounded_and_its_cut_is_seen() -> None:
    assert text_gate.visible("a" * 50, 10) == "aaaaaaaaa…"
    assert text_gate.visible("\x1b" * 10**6, 10) == "\\x1b\\x1b\\…"


@given(ANY_TEXT, st.booleans())
def test_what_the_gate_lets_in_has_one_spelling_without_hidden_characters(
    text: str, lines: bool
) -> None:
    if text_gate.fault(text, lines=lines) is not None:
        return
    tidy = text_gate.tidy(text, lines=lines)
    assert text_gate.fault(tidy, lines=lines) is None
    assert text_gate.tidy(tidy, lines=lines) == tidy
    assert unicodedata.is_normalized("NFC", tidy)
    assert tidy == tidy.strip()
    allowed = "\t\n" if lines else ""
    assert not {char for char in tidy if unicodedata.category(char) in REFUSED} - set(allowed)
    tidy.encode()


@given(ANY_TEXT, st.booleans(), st.none() | st.integers(10, 60))
def test_what_is_made_visible_has_no_hidden_character_and_its_length(
    text: str, lines: bool, most: int | None
) -> None:
    shown = text_gate.visible(text, most, lines=lines)
    assert text_gate.visible(shown, most, lines=lines) == shown
    allowed = "\t\n" if lines else ""
    assert not {char for char in shown if unicodedata.category(char) in REFUSED} - set(allowed)
    assert most is None or len(shown) <= most
    shown.encode()


@given(ANY_TEXT)
def test_the_fast_answer_is_never_wrong(text: str) -> None:
    if text_gate.is_tidy(text):
        assert text_gate.fault(text) is None
        assert text_gate.tidy(text) == text
