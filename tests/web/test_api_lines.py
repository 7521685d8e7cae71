"""The lines that the API's guide offers to copy, run as they stand there."""

import asyncio
import re
from pathlib import Path

import cnc_station
from tests.web.api_client import Client

GUIDE = Path(cnc_station.__file__).parent / "web" / "api" / "README.md"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
LINE = re.compile(r"^(?:curl|printf)(?:[^\n]|\n  )*", re.MULTILINE)


async def test_every_line_of_the_guide_works_as_it_stands(api: Client) -> None:
    lines = [line for block in BLOCK.findall(GUIDE.read_text()) for line in LINE.findall(block)]
    assert len(lines) >= 21
    with_status = "\ncurl() { command curl -w '\\n%{http_code}' \"$@\"; }\n"
    for line in lines:
        script = f"API={api.url}/api/v1{with_status}{line}"
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", script, stdout=asyncio.subprocess.PIPE
        )
        told = (await process.communicate())[0].decode()
        status = int(told.rpartition("\n")[2])
        assert status in {200, 201}, (line, told)
