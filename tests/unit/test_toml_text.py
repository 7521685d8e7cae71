"""A TOML text of a megabyte is read or refused in seconds, whatever it is."""

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from cnc_station import config
from cnc_station.engine.domain import toml_text
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.handlers import allowed_commands

DEEP: Mapping[str, str] = {
    "parts of a key": ".".join(["a"] * 400_000) + " = 1",
    "parts of a header": "[" + ".".join(["a"] * 400_000) + "]",
    "quoted parts": ".".join(['"a b"'] * 150_000) + " = 1",
    "a later line": 'x = 1\ny = """\n"""\n' + ".".join(["a"] * 400_000) + " = 1",
    "arrays": "a = " + "[" * 400_000,
    "tables": "a = " + "{a=" * 300_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deep_is_refused_at_once(text: str, tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text(text)
    begun = time.process_time()
    for read in (toml_text.load, allowed_commands.parse):
        with pytest.raises(ValueError, match="nested too deep"):
            read(text)
    with pytest.raises(InvalidInput, match="nested too deep"):
        config.load({"CNC_DATA_FOLDER": str(tmp_path)}, tmp_path / "deep.toml", {})
    assert time.process_time() - begun < 1.0


def test_many_settings_that_do_not_exist_are_named_in_bounded_words(tmp_path: Path) -> None:
    (tmp_path / "wide.toml").write_text("".join(f"k{at}=1\n" for at in range(90_000)))
    with pytest.raises(InvalidInput) as refused:
        config.load({"CNC_DATA_FOLDER": str(tmp_path)}, tmp_path / "wide.toml", {})
    assert "k0 in wide.toml" in str(refused.value)
    assert len(str(refused.value)) <= 4_000
