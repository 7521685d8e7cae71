"""Patterns for texts that others choose: what Python's matcher finds, in time that is bounded."""

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnc_station.engine.handlers.linear_pattern import LinearPattern, TooMuchWork, Work

ENOUGH = 10**9
ATOMS = ("a", "b", "-", r"\.", ".", "[ab]", "[^a]", "[]a]", r"[\]b]", r"\d", r"\w", r"\x61", "{}")
REPEATS = ("", "", "", "*", "+", "?", "*?", "{2}", "{1,}", "{,2}", "{0,3}", "{,}")


def _extended(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    rows = st.lists(parts, max_size=4).map("".join)
    groups = st.lists(rows, min_size=1, max_size=3).map("|".join)
    return st.tuples(st.sampled_from(("(", "(?:")), groups, st.sampled_from(REPEATS)).map(
        lambda each: f"{each[0]}{each[1]}){each[2]}"
    )


SINGLES = st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)).map("".join)
PATTERNS = st.lists(st.recursive(SINGLES, _extended, max_leaves=8), max_size=4).map("".join)
TEXTS = st.text("ab-.1{}]\n", max_size=8)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=8))
def test_it_finds_what_python_finds(pattern: str, texts: list[str]) -> None:
    compiled, python = LinearPattern(pattern), re.compile(pattern, re.DOTALL)
    for text in texts:
        assert compiled.matches(text, Work(ENOUGH)) == bool(python.fullmatch(text)), text


@pytest.mark.parametrize("pattern", ["^a|b$", "^[a-z]+$", r"a\$", "^$|^x$", "(?:a|)b"])
def test_signs_for_the_ends_change_nothing(pattern: str) -> None:
    for text in ("a", "b", "ab", "a$", "", "x", "a\n", "b\n"):
        found = LinearPattern(pattern).matches(text, Work(ENOUGH))
        assert found == bool(re.compile(pattern, re.DOTALL).fullmatch(text)), text


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(a)\1", r"a\b", "(?=a)b", "(?i)a", "(?P<x>a)", "a++", "a**", "*a", "{2}a", "a(^b)"),
        *("a$b", "(", ")", "a)", "[", "[]", "[b-a]", "a{3,2}", "\\", r"\q", "a{999999999}"),
        *("(((((a{99}){99}){99}){99}){99})", "((((){99}){99}){99}){99}", "a" * 501),
        "(" * 60 + ")" * 60,
    ],
)
def test_what_it_does_not_know_is_refused(pattern: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValueError, match=r"\w"):
        LinearPattern(pattern)
    assert time.process_time() - begun < 0.2


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", "(.*)*x", "(a?){100}a{100}", "(.*,){20}x", "(a|b)*a(a|b){240}"],
)
def test_no_text_takes_long(pattern: str) -> None:
    compiled = LinearPattern(pattern)
    for text in ("a" * 32_000, "ab,b" * 8_000, "".join(map(chr, range(100, 32_000)))):
        begun = time.process_time()
        with suppress(TooMuchWork):
            compiled.matches(text, Work(100_000))
        assert time.process_time() - begun < 0.1
