"""The API keeps what its own description promises, whatever is sent to it. `./dev faults --only
requests` does this for longer, on both databases."""

from pathlib import Path

from tests.faults.generated_requests import requests_to
from tests.web.api_client import Client


async def test_generated_requests_get_documented_answers(api: Client, tmp_path: Path) -> None:
    count, wrong = await requests_to(api.url, tmp_path, "--max-examples", "4")
    assert wrong == [], wrong[0]
    assert count > 200
