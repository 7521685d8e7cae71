import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain import json_text


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"a": 1, "a": 2}', 'has the key "a" twice'),
        ('{"o": {"speed": 1, "b": 2, "speed": 1}}', 'has the key "speed" twice'),
        ('{"a": NaN}', "has NaN, which is not a number"),
        ('{"a": -Infinity}', "has -Infinity, which is not a number"),
        ('{"a": 1e999}', "has a number that is not finite as the value of a"),
        ('{"a": [1, 9223372036854775808]}', "has a number beyond 64 bits as the value of a.1"),
        ('{"a": -99999999999999999999}', "has a number beyond 64 bits as the value of a"),
        ('{"a": %s}' % ("9" * 5_000), "has a number of too many digits"),
        ('{"a": {"b": "x\\u0000"}}', "has a null character (U+0000) at character 2 of a.b"),
        ('{"a": "\\ud800"}', "has half of a surrogate pair (U+D800) at character 1 of a"),
        ('{"a": "\\u202e"}', "has a right-to-left override (U+202E) at character 1 of a"),
        (
            '{"a": {"b\\u200b": 1}}',
            'has the key "b\\u200b", which has a zero width space (U+200B) at character 2 in a',
        ),
        ('{"%s": 1}' % ("k" * 201), "has a key of more than 200 characters"),
        ('{"a": ' + "[" * 64 + "]" * 64 + "}", "is nested deeper than 64 levels"),
        ("[" * 30_000 + "]" * 30_000, "is nested deeper than 64 levels"),
        ('{"a": %s}' % ([1] * 10_001), "has more than 10,000 values"),
        ('{"a": "%s"}' % ("x" * 66_000), "is larger than 64 KiB"),
        ('{"a" 1}', "is not JSON, line 1, column 6: Expecting ':' delimiter"),
        (b'{"a": "\xff"}', "is not JSON: it is not UTF-8"),
    ],
)
def test_json_that_can_be_misread_or_is_too_much_is_refused_in_words(
    text: str | bytes, wrong: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(wrong)}$"):
        json_text.parse(text)


def test_what_is_just_within_the_bounds_is_taken() -> None:
    deep = '{"a": ' + "[" * 63 + "]" * 63 + "}"
    assert json_text.parse(deep) == json.loads(deep)
    assert json_text.parse('{"a": [9223372036854775807, "two\\nlines"]}') == {
        "a": [2**63 - 1, "two\nlines"]
    }


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800")
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(_TREES)
def test_what_is_accepted_survives_being_written_and_read(tree: Any) -> None:
    text = json.dumps(tree)
    try:
        found = json_text.parse(text)
    except ValueError:
        return
    assert found == tree
    assert json_text.stored(text) == tree
    json.dumps(found, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", {}),
        ("{", {}),
        ("[1]", {}),
        ('{"a": "\\ud800"}', {"a": "\\ud800"}),
        ("[" * 200_000, {}),
    ],
)
def test_a_damaged_stored_value_is_read_without_an_error(text: str, read: object) -> None:
    assert json_text.stored_object(text) == read


def test_a_stored_value_of_any_depth_is_cut_where_nobody_could_show_it() -> None:
    deep: Any = "end"
    for _ in range(900):
        deep = {"a": deep}
    found = json_text.stored_object(json.dumps(deep))
    depth = 0
    inner: Any = found
    while isinstance(inner, dict):
        inner, depth = inner["a"], depth + 1
    assert (depth, inner) == (64, "…")
    assert json_text.fault(found) is None
