"""The API keeps what its own description promises, whatever is sent to it."""

import asyncio
import sys
from pathlib import Path

from tests.web.api_client import Client

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


async def test_generated_requests_get_documented_answers(api: Client, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "schemathesis"), "run"),
        *(f"{api.url}/api/v1/openapi.json", "--url", f"{api.url}/api/v1"),
        *("--max-examples", "4", "--phases", "fuzzing,stateful", "--continue-on-failure"),
        *("--checks", ",".join(CHECKS), "--request-timeout", "20", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told[-6_000:]
    assert "generated" in told
