"""Writes a dashboard of Grafana's: `python -m deploy.config.dashboards NAME`.

From `deploy/grafana/dashboards.yaml`: the rest of Grafana's JSON is the same for all panels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
_SOURCE = {"type": "prometheus", "uid": "prometheus"}


def declared() -> dict[str, dict[str, Any]]:
    """Every dashboard by its name."""
    file = Path(__file__).parents[1] / "grafana" / "dashboards.yaml"
    dashboards: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return dashboards


def render(name: str) -> str:
    """The JSON that Grafana reads."""
    dashboard = declared()[name]
    document = {
        "uid": f"listeningpost-{name}",
        "title": dashboard["title"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "editable": False,
        "panels": [_panel(number, panel) for number, panel in enumerate(dashboard["panels"])],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _panel(number: int, panel: dict[str, Any]) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    targets = [
        {"refId": chr(ord("A") + place), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
        for place, (legend, query) in enumerate(panel["queries"].items())
    ]
    return {
        "id": number + 1,
        "title": panel["title"],
        "type": "timeseries",
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel["unit"], "min": 0}, "overrides": []},
        "targets": targets,
    }


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1]))
