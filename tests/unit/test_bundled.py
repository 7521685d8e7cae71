"""The environment of programs that are not ours."""

import sys

import pytest

from cnc_station.bundled import outside_environment


@pytest.mark.parametrize(("before", "expected"), [(None, None), ("/opt/lib", "/opt/lib")])
def test_a_program_of_the_system_gets_nothing_of_a_frozen_bundle(
    monkeypatch: pytest.MonkeyPatch, before: str | None, expected: str | None
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib/cnc-station/_internal")
    monkeypatch.setenv("_PYI_ARCHIVE_FILE", "/usr/lib/cnc-station/cnc-station")
    monkeypatch.setenv("CNC_REDIS_URL", "redis://:secret@server")
    monkeypatch.setenv("DISPLAY", ":0")
    if before is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    kept = outside_environment()
    assert kept.get("LD_LIBRARY_PATH") == expected
    assert kept["DISPLAY"] == ":0"
    assert not any(name.startswith(("_PYI_", "CNC_", "LD_LIBRARY_PATH_")) for name in kept)
