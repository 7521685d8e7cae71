"""A temporary Prometheus that scrapes given addresses with the rules of the compose files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.tools.servers import Server, program_path

SETTINGS = Path(__file__).parents[2] / "packaging" / "compose" / "prometheus" / "prometheus.yml"


class Prometheus(Server):
    """Scrapes and evaluates every second, as job `cnc-station`; otherwise as in the shop."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._program = program_path("prometheus")
        super().__init__()
        settings = yaml.safe_load(SETTINGS.read_text("utf-8"))
        settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (stations,) = (
            one for one in settings["scrape_configs"] if one["job_name"] == "cnc-station"
        )
        del stations["dns_sd_configs"]
        stations["static_configs"] = [{"targets": list(targets)}]
        settings["scrape_configs"] = [stations]
        (rules,) = settings["rule_files"]
        self._private(rules, (SETTINGS.parent / rules).read_text("utf-8"))
        self._settings = self._private("prometheus.yml", yaml.safe_dump(settings))

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its HTTP API. Raises OSError if it refuses."""
        query = urlencode(parameters)
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, expression: str) -> list[float]:
        """The values of an expression now, one for each series."""
        return [float(one["value"][1]) for one in self.ask("query", query=expression)["result"]]

    def _command(self) -> list[str]:
        return [
            str(self._program),
            f"--config.file={self._settings}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.tsdb.path={self.folder / 'data'}",
        ]

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2):
                return True
        except (URLError, OSError):
            return False
