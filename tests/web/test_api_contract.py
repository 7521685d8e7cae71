"""The API keeps what its own description promises, whatever is sent to it. `./dev faults --only
requests` does this for longer, on both databases."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cnc_station.engine.domain.job import JobSpec
from tests.faults.generated_requests import requests_to
from tests.web.api_client import Client

BRACKET = {"name": "Bracket", "machine_type": "mill"}


def _bounds(field: dict[str, Any]) -> dict[str, Any]:
    return {**field, **next(iter(field.get("anyOf", ())), {})}


async def test_a_job_is_described_with_the_limits_that_are_kept(api: Client) -> None:
    described = (await api("GET", "/openapi.json"))[1]["components"]["schemas"]["JobIn"]
    fields = {name: _bounds(one) for name, one in described["properties"].items()}
    texts = {name: one["maxLength"] for name, one in fields.items() if "maxLength" in one}
    assert {name: texts[name] for name in texts.keys() & JobSpec.TEXTS.keys()} == {
        name: rule.most for name, rule in JobSpec.TEXTS.items() if name != "source"
    }
    longest = {name: "x" * most for name, most in texts.items() if name in JobSpec.TEXTS}
    del longest["handler"]
    at_most = {"complexity": 5, "quantity": 1_000_000, "axes": 9, "retry_limit": 100}
    most = longest | at_most | {"estimated_s": fields["estimated_s"]["maximum"]}
    assert (await api("POST", "/jobs", most))[0] == 201
    beyond = {name: value + "x" for name, value in longest.items()}
    beyond |= {name: fields[name]["maximum"] + 1 for name in most.keys() - longest.keys()}
    for name, value in beyond.items():
        status, problem = await api("POST", "/jobs", {**BRACKET, name: value})
        assert (status, [error["field"] for error in problem["errors"]]) == (422, [name])


@pytest.mark.parametrize(
    ("path", "field", "good", "bad"),
    [
        ("/jobs", "status", "pending,held", ("pending,", ",", "waiting", "held,,draft")),
        ("/jobs", "sort", "created:desc,-priority", ("created:up", "size", " ")),
        ("/jobs", "ids", "1,22", ("1,", "x", "-1")),
        ("/jobs", "machine_type", "mill,lathe", (",", "mill,,")),
        ("/events", "types", "created,started", ("created,", "finished?")),
        ("/runs", "outcome", "failed,completed", ("failed,", "lost")),
    ],
)
async def test_a_list_of_words_is_described_as_it_is_checked(
    api: Client, path: str, field: str, good: str, bad: tuple[str, ...]
) -> None:
    operation = (await api("GET", "/openapi.json"))[1]["paths"][path]["get"]
    (schema,) = (one["schema"] for one in operation["parameters"] if one["name"] == field)
    valid = jsonschema.Draft202012Validator(schema).is_valid
    for text in ("", good, *bad):
        status, problem = await api("GET", f"{path}?{field}={text}")
        assert (status == 200) == valid(text) == (text not in bad), problem


async def test_generated_requests_get_documented_answers(api: Client, tmp_path: Path) -> None:
    count, wrong = await requests_to(api.url, tmp_path, "--max-examples", "4")
    assert wrong == [], wrong[0]
    assert count > 200
