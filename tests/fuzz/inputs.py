"""Inputs: proper ones, changed at a few places."""

import random
from collections.abc import Sequence

from hypothesis import strategies as st

LARGEST = 20_000  # bytes
ODD = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\r\n",
    b"9" * 400,
    b"-1",
    b"-0",
    b"1e308",
    b"1e999",
    b"NaN",
    b"Infinity",
    b"null",
    b"true",
    b'"',
    b"<",
    b"]]>",
    b"&#x202e;",
    b"[" * 3_000,
    b"{" * 3_000,
    b"(" * 3_000,
    "\u202e\u2066ß\ud7ff".encode(),
    b"\xed\xa0\x80",  # half a character
    b"%s%n",
    b"../../x",
)


def mutated(chance: random.Random, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """Return a proper input with some pieces replaced, removed, doubled or moved."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5, 8, 20))):
        begin = chance.randrange(len(data) + 1)
        end = min(len(data), begin + chance.choice((0, 0, 1, 1, 2, 4, 9, 40)))
        match chance.randrange(6):
            case 0:
                data[begin:end] = bytes([chance.randrange(256)])
            case 1:
                data[begin:end] = chance.choice(ODD)
            case 2 | 3:
                data[begin:end] = chance.choice(tokens)
            case 4:
                data[begin:begin] = data[begin:end] * chance.choice((1, 2, 50))
            case _:
                other = chance.choice(seeds)
                at = chance.randrange(len(other) + 1)
                data[begin:end] = other[at : at + 30]
    return bytes(data[:LARGEST])


def inputs(seeds: Sequence[bytes], tokens: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return the same as a strategy, with arbitrary bytes among them."""
    changed = st.randoms(use_true_random=False).map(lambda chance: mutated(chance, seeds, tokens))
    return st.one_of(changed, changed, changed, st.binary(max_size=300))
