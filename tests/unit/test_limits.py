"""Limits as settings: what is read, for whom, and what is refused."""

import pytest

from cnc_station import config
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.limits import LimitRules, Limits, Rate, rate


def test_without_settings_the_limits_are_those_of_the_documentation() -> None:
    rules = config.load({}).limit_rules
    assert rules.of("operator", {}) == Limits(Rate(10, 60), 5, Rate(100, 900))
    assert not rules.local


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("10/min", Rate(10, 60)),
        ("100/15min", Rate(100, 900)),
        ("3 / 2 h", Rate(3, 7200)),
    ],
)
def test_a_rate_reads_as_it_is_written(text: str, read: Rate) -> None:
    assert rate(text) == read
    assert rate(str(read)) == read
    assert rate("0") is None


@pytest.mark.parametrize("text", ["", "10", "10/day", "0/min", "10/0min", "-1/min", "10/999h"])
def test_what_is_not_a_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        rate(text)


def test_roles_and_tenants_may_have_limits_of_their_own() -> None:
    rules = config.load(
        {"CNC_LIMIT_CREATE": "20/min, supervisor 60/min, administrator 0", "CNC_LIMIT_ACTIVE": "0"}
    ).limit_rules
    assert rules.of("operator", {}).create == Rate(20, 60)
    assert rules.of("supervisor", {}).create == Rate(60, 60)
    assert rules.of("administrator", {}).create is None
    assert rules.of("operator", {}).active is None
    assert rules.of("operator", {"create": "1/h", "active": "2"}).create == Rate(1, 3600)


@pytest.mark.parametrize("text", ["supervisor 60/min", "10/min, boss 1/min", "x"])
def test_a_setting_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        config.load({"CNC_LIMIT_CREATE": text})


def test_rules_are_values() -> None:
    assert LimitRules() == LimitRules()
