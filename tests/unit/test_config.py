import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station import config
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.policies import RankPolicy, RetryPolicy
from cnc_station.setting_readers import ALIASES, READERS


def loaded(tmp_path: Path, toml: str = "", **environ: str) -> config.Config:
    path = tmp_path / "cnc-station.toml"
    path.write_text(toml, encoding="utf-8")
    return config.load(environ, path)


def refusal(tmp_path: Path, toml: str = "", **environ: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, toml, **environ)
    return str(caught.value)


def test_without_settings_the_defaults_apply(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found.database_path == found.data_folder / "station.db"
    assert found.retry == RetryPolicy()
    assert found.rank == RankPolicy()
    assert found.claim_batch == 100
    assert (found.synchronous, found.simulator_speed) == ("FULL", 1.0)


def test_a_station_and_an_operator_have_names_that_do_not_mislead(tmp_path: Path) -> None:
    said = refusal(tmp_path, 'station = "Halle\\u202e2"', CNC_OPERATOR="Ada\x1b[31m")
    assert "station in cnc-station.toml: has a right-to-left override (U+202E)" in said
    assert "CNC_OPERATOR: has an escape character (U+001B) at character 4" in said
    assert loaded(tmp_path, 'station = " Gro\u0308\u00dfe "').station == "Gr\u00f6\u00dfe"


def test_an_odd_name_of_the_account_does_not_keep_a_station_from_starting(tmp_path: Path) -> None:
    assert loaded(tmp_path, USER="ada\u202e\udcff").operator == "ada\\u202e\\udcff"


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text('theme = "dark"\nclaim_batch = 3\nsimulator_speed = 2', encoding="utf-8")
    environ = {"CNC_CLAIM_BATCH": "4", "CNC_SIMULATOR_SPEED": "3"}
    found = config.load(environ, path, {"simulator_speed": "20"})
    assert (found.theme, found.claim_batch, found.simulator_speed) == ("dark", 4, 20.0)


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "named.toml"
    path.write_text('station = "Hall 2"', encoding="utf-8")
    assert config.load({"CNC_CONFIG": str(path)}).station == "Hall 2"


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="can't be read"):
        config.load({}, tmp_path / "nowhere.toml")


def test_policies_are_put_together_from_their_settings(tmp_path: Path) -> None:
    found = loaded(tmp_path, "retry_initial_s = 5", CNC_RANK_POINT_S="60")
    assert found.retry == RetryPolicy(initial_s=5.0)
    assert found.rank == RankPolicy(point_s=60.0)


def test_a_database_is_a_file_or_an_address(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    assert loaded(tmp_path, CNC_DATABASE=str(file)).database_path == file
    assert loaded(tmp_path, CNC_DATABASE_URL=f"sqlite:///{file}").database_path == file
    server = loaded(tmp_path, CNC_DATABASE="postgresql://shop:secret@db/station")
    assert server.database_path is None
    assert "secret" not in repr(server)


def test_a_database_from_the_command_line_wins_over_an_address(tmp_path: Path) -> None:
    environ = {"CNC_DATABASE_URL": "postgresql://db/station"}
    found = config.load(environ, None, {"database": str(tmp_path / "a.db")})
    assert found.database_path == tmp_path / "a.db"


def test_every_invalid_setting_is_named_with_its_place(tmp_path: Path) -> None:
    said = refusal(
        tmp_path,
        'theme = "pink"\ncolour = 1\nclaim_batch = true',
        CNC_LEASE_S="soon",
        CNC_RETRY_JITTER="nan",
        CNC_DATABASE_URL="oracle://x",
        CNC_TIME_ZONE="Mars/Base",
    )
    for words in (
        "theme in cnc-station.toml: must be one of system, light",
        "colour in cnc-station.toml: there is no such setting",
        "claim_batch in cnc-station.toml: must be text or a number",
        "CNC_LEASE_S: must be a number from 1 to 86,400",
        "CNC_RETRY_JITTER",
        "CNC_DATABASE_URL",
        "CNC_TIME_ZONE",
    ):
        assert words in said


def test_the_page_of_settings_lists_every_setting() -> None:
    page = (Path(__file__).parents[2] / "packaging" / "README.md").read_text("utf-8")
    (table,) = re.findall(r"\| setting \|.*?\n\n", page, re.DOTALL)
    first = [row.split("|")[1] for row in table.strip().splitlines()]
    told = set(re.findall(r"`(\w+)`", " ".join(first)))
    assert told == {*READERS, *ALIASES}


def test_a_misspelt_variable_is_pointed_out() -> None:
    environ = {"CNC_THEME": "dark", "CNC_TEHME": "dark", "CNC_DATABASE": "x", "PATH": ""}
    assert config.unknown_variables(environ) == ("CNC_TEHME",)


# What is missing beside a setting that was given alone.
WITH = {"smtp_host": "smtp_from", "api_key": "api_certificate", "api_certificate": "api_key"}


@given(st.sampled_from(sorted(READERS)), st.text() | st.just("~nobody-here/x"))
def test_any_text_is_a_setting_or_a_named_refusal(name: str, text: str) -> None:
    named: set[str] = set()
    try:
        config.load({"CNC_CONFIG": ""}, None, {name: text})
    except InvalidInput as refused:
        named = {error.field for error in refused.errors}
    assert named <= {name, WITH.get(name, name)}
