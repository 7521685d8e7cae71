"""Compared with the real Node, many values in each call of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain import ecmascript_json
from cnc_station.engine.domain.webhook_signature import headers, new_secret, verify

NODE = Path(sys.executable).parent / "node"
SCRIPT = """
const {createHmac} = require("node:crypto");
const {secret, texts} = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const written = texts.map(text => JSON.stringify(JSON.parse(text)));
const signed = written.map(text => createHmac("sha256", secret).update(text).digest("hex"));
process.stdout.write(JSON.stringify({written, signed}));
"""

INTEGER_LIKE = st.integers(0, 2**33).map(str)
KEYS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=6),
    INTEGER_LIKE,
    st.sampled_from(["0", "00", "01", "-1", "1.0", "4294967294", "4294967295", "__proto__", ""]),
)
NUMBERS = st.one_of(
    st.integers(-(2**80), 2**80),
    st.integers(2**53 - 4, 2**53 + 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(1e-9, 1e-4),
    st.floats(1e14, 1e24),
    st.sampled_from([1.0, -0.0, 1e-7, 1e-6, 1e16, 1e20, 1e21, 5e-324, 1.7976931348623157e308]),
)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=10)  # lone surrogates too
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


def node(secret: str, texts: list[str]) -> Any:
    asked = json.dumps({"secret": secret, "texts": texts})
    found = subprocess.run(
        [NODE, "-e", SCRIPT], input=asked, capture_output=True, check=True, encoding="utf-8"
    )
    return json.loads(found.stdout)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(st.lists(VALUES, min_size=40, max_size=80), st.text("abc é€", min_size=1, max_size=20))
def test_any_payload_is_written_and_signed_as_by_node(values: list[Any], secret: str) -> None:
    texts = [json.dumps(value) for value in values]
    bodies = [ecmascript_json.dump(json.loads(text)) for text in texts]
    theirs = node(secret, texts)
    assert [body.decode() for body in bodies] == theirs["written"]
    signed = [headers([secret], "id", "e", 1, body)["X-Signature"] for body in bodies]
    assert signed == theirs["signed"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"10":1,"9":2,"a":3}', '{"9":2,"10":1,"a":3}'),
        ("[1.0,1e-07,1e+16,-0.0]", "[1,1e-7,10000000000000000,0]"),
        ("12345678901234567890", "12345678901234567000"),
        ('"\\ud800 \\ud83d\\ude00"', '"\\ud800 😀"'),
        ("1e400", "null"),
        ("1" + "0" * 400, "null"),
        ('{"b":{"2":0,"1":0},"a":[{"z":0,"0":0}]}', '{"b":{"1":0,"2":0},"a":[{"0":0,"z":0}]}'),
    ],
)
def test_what_python_writes_otherwise(text: str, written: str) -> None:
    assert ecmascript_json.dump(json.loads(text)).decode() == written


def test_two_halves_of_a_character_become_one() -> None:
    assert ecmascript_json.dump("\ud83d\ude00") == '"😀"'.encode()


def test_both_secrets_verify_while_one_replaces_the_other() -> None:
    old, new = new_secret(), "any text"
    made = headers([new, old], "d-1", "job:completed", 1_000, b"{}")
    assert verify(new, made, b"{}", 1_000)
    assert verify(old, made, b"{}", 1_000)
    assert not verify("another", made, b"{}", 1_000)
    assert not verify(new, made, b"{ }", 1_000)
    assert made["webhook-signature"].count("v1,") == 2


def test_the_standard_s_own_example_verifies() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    made = headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", "e", 1614265330, body)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    del made["X-Signature"]
    assert verify(secret, made, body, 1614265330)
    assert not verify(secret, made, body, 1614265330 + 3600), "a replay comes too late"
