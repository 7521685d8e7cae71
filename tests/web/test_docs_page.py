"""The page of the API: what it says, and how it works in a real browser."""

import asyncio
import re
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from cnc_station.web.api.application import ROUTES
from tests.web.api_client import Client
from tests.web.browser import chromium


async def test_the_page_shows_every_operation_and_loads_nothing(api: Client) -> None:
    async with api.session.get("/api/v1/docs") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert answer.status == 200
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for route in ROUTES:
        assert f'id="{route.name}"' in page
    assert "Not offered on purpose" in page
    assert re.findall(r'(?:src|href)="(?!#)([^"]+)"', page) == ["openapi.json"]
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


async def test_the_page_is_searched_and_read_on_a_phone(api: Client, tmp_path: Path) -> None:
    seen = await asyncio.to_thread(_look, f"{api.url}/api/v1/docs", tmp_path)
    assert seen["log"] == []
    assert seen["wide"] <= seen["width"]
    assert seen["shown"]
    assert all("pause" in path for path in seen["shown"])
    assert seen["found"] == f"{len(seen['shown'])} operations"
    assert seen["opened"]
    assert seen["top"] >= 0
    assert seen["loaded"] == 0


def _look(address: str, profile: Path) -> dict[str, Any]:
    """What a person sees who searches for "pause", and then follows a link to a schema."""
    with chromium(profile) as browser:
        browser.set_window_size(500, 900)
        browser.get(address)
        seen = {
            "wide": browser.execute_script("return document.documentElement.scrollWidth"),
            "width": browser.execute_script("return innerWidth"),
        }
        search = browser.find_element(By.ID, "search")
        search.send_keys("pause")
        rows = browser.find_elements(By.CSS_SELECTOR, "details.operation .path")
        seen["shown"] = [row.text for row in rows if row.is_displayed()]
        seen["found"] = browser.find_element(By.ID, "found").text
        browser.execute_script("location.hash = 'schema-Problem'")
        target = browser.find_element(By.ID, "schema-Problem")
        seen["opened"] = target.get_attribute("open")
        seen["top"] = browser.execute_script(
            "return document.getElementById('schema-Problem').getBoundingClientRect().top"
        )
        script = "return performance.getEntriesByType('resource').length"
        seen["loaded"] = browser.execute_script(script)
        seen["log"] = [
            entry["message"]
            for entry in browser.get_log("browser")
            if "favicon" not in entry["message"]
        ]
    return seen
