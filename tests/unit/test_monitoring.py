"""Prometheus' rules, Grafana's dashboard and nginx' settings, by their own checkers."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging" / "compose"
DATA = ROOT / "tests" / "data"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "cnc-station.json"
README = (FOLDER / "README.md").read_text("utf-8")
RULES = FOLDER / "prometheus" / "rules.yml"

with_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="it is not installed")


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def checked(*command: str, folder: Path = FOLDER) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@with_promtool
def test_promtool_accepts_the_settings_and_the_rules() -> None:
    assert "SUCCESS" in checked("promtool", "check", "config", "prometheus/prometheus.yml")


@with_promtool
def test_each_alert_fires_when_it_must_and_only_then(tmp_path: Path) -> None:
    tests = shutil.copy(DATA / "prometheus" / "rules_test.yml", tmp_path)
    shutil.copy(RULES, tmp_path)
    checked("promtool", "test", "rules", "rules_test.yml", folder=tmp_path)
    tried = re.findall(r"alertname: (\w+)", Path(tests).read_text("utf-8"))
    assert {rule["alert"] for rule in rules() if "alert" in rule} == set(tried)


def test_the_dashboard_is_what_grafana_reads() -> None:
    schema = json.loads((DATA / "grafana" / "dashboard.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dashboard(), schema, jsonschema.Draft202012Validator)


def test_no_panel_covers_another_and_each_has_a_number_of_its_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_the_dashboards_source_of_data_is_the_one_that_is_provisioned() -> None:
    folder = FOLDER / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    used = set(re.findall(r'"uid": "(cnc-prometheus|[^"]*prom[^"]*)"', DASHBOARD.read_text()))
    assert used == {source["uid"]}
    (provider,) = yaml.safe_load((folder / "dashboards" / "cnc.yaml").read_text())["providers"]
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    assert source["url"] == "http://prometheus:9090"
    assert (
        f"./grafana/dashboards:{provider['options']['path']}:ro" in services["grafana"]["volumes"]
    )


def test_every_metric_and_rule_that_is_used_is_documented() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    texts = [rule["expr"] for rule in rules()]
    texts += [one["expr"] for panel in dashboard()["panels"] for one in panel.get("targets", ())]
    used = set(re.findall(r"\bcnc[_:][a-z0-9_:]+", " ".join(texts)))
    bare = {re.sub(r"_(bucket|count|sum)$", "", name) for name in used if name.startswith("cnc_")}
    documented = set(re.findall(r"`(cnc[_:][a-z0-9_:]+)", README))
    assert bare <= documented
    assert {name for name in used if name.startswith("cnc:")} <= recorded <= documented


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_nginx_accepts_its_settings(tmp_path: Path) -> None:
    checked(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop-server"),
        *("-keyout", "server.key", "-out", "server.crt"),
        folder=tmp_path,
    )
    text = (FOLDER / "nginx.conf").read_text().replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(text.replace("/etc/cnc/certificates", str(tmp_path)))
    checked("nginx", "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf"))
