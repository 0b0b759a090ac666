# ruff: noqa: INP001 - a script beside the file that it writes, not a part of the package
"""Writes dateline.ndjson: Kibana's data views over our aliases, and one dashboard. Kibana keeps JSON in strings inside of JSON.

    python deploy/kibana/build.py

POST the file to /api/saved_objects/_import?overwrite=true (docker-compose.yml does), or import it under Stack Management,
Saved Objects. It looks at the indices of the default elasticsearch.index_prefix, `news`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("dateline.ndjson")
CORE = "8.8.0"
VERSIONS = {"index-pattern": "8.0.0", "search": "7.9.3", "map": "8.4.0", "dashboard": "8.9.0"}
"""The version of Kibana's own schema that each object is written in; every later Kibana migrates it at import."""

VIEWS = {
    "events": "Dateline: events",
    "stories": "Dateline: stories",
    "alerts": "Dateline: alerts",
    "documents": "Dateline: articles",
    "failures": "Dateline: failures",
    "feedback": "Dateline: feedback on alerts",
}
ANY = {"query": "", "language": "kuery"}
Table = dict[str, Any]


def packed(value: Any) -> str:
    """A value in, its JSON as Kibana stores it inside of a string out."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def saved(kind: str, identifier: str, attributes: Table, references: list[Table]) -> Table:
    """One line of the file."""
    return {
        "type": kind,
        "id": identifier,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": CORE,
        "typeMigrationVersion": VERSIONS[kind],
        "managed": False,
    }


def to_view(view: str, name: str) -> Table:
    """A reference to a data view, under the name that the referring object uses."""
    return {"type": "index-pattern", "id": f"dateline-{view}", "name": name}


def data_view(view: str) -> Table:
    """The data view of an alias."""
    attributes = {"title": f"news-{view}", "name": VIEWS[view], "timeFieldName": "@timestamp"}
    return saved("index-pattern", f"dateline-{view}", attributes, [])


def listing(identifier: str, title: str, view: str, columns: list[str], query: str = "") -> Table:
    """A saved search: documents, the newest first."""
    source: Table = {
        "query": {"query": query, "language": "kuery"},
        "filter": [],
        "highlightAll": True,
        "version": True,
        "indexRefName": "kibanaSavedObjectMeta.searchSourceJSON.index",
    }
    attributes = {
        "title": title,
        "description": "",
        "columns": columns,
        "sort": [["@timestamp", "desc"]],
        "kibanaSavedObjectMeta": {"searchSourceJSON": packed(source)},
    }
    return saved("search", identifier, attributes, [to_view(view, source["indexRefName"])])


def places() -> Table:
    """Where events happen: a circle for each cell of a grid, as large as it has events."""
    count = {"name": "doc_count", "origin": "source"}
    meta = {"isEnabled": True, "sigma": 3}
    size = {"minSize": 6, "maxSize": 30, "field": count, "fieldMetaOptions": meta}
    grid: Table = {
        "type": "ES_GEO_GRID",
        "id": "places-source",
        "geoField": "news.location",
        "requestType": "point",
        "resolution": "FINE",
        "metrics": [{"type": "count"}],
        "applyGlobalQuery": True,
        "applyGlobalTime": True,
        "applyForceRefresh": True,
        "indexPatternRefName": "layer_1_source_index_pattern",
    }
    style = {
        "fillColor": {"type": "STATIC", "options": {"color": "#B9342E"}},
        "lineColor": {"type": "STATIC", "options": {"color": "#FFFFFF"}},
        "iconSize": {"type": "DYNAMIC", "options": size},
    }
    shown = {"minZoom": 0, "maxZoom": 24, "visible": True, "includeInFitToBounds": True}
    layers = [
        {
            **shown,
            "id": "base",
            "label": None,
            "alpha": 1,
            "type": "EMS_VECTOR_TILE",
            "sourceDescriptor": {"type": "EMS_TMS", "isAutoSelect": True, "lightModeDefault": "road_map_desaturated"},
            "style": {"type": "EMS_VECTOR_TILE", "color": ""},
        },
        {
            **shown,
            "id": "places",
            "label": "Events",
            "alpha": 0.75,
            "type": "GEOJSON_VECTOR",
            "sourceDescriptor": grid,
            "style": {"type": "VECTOR", "properties": style},
            "joins": [],
        },
    ]
    state = {
        "zoom": 1.7,
        "center": {"lon": 25, "lat": 30},
        "timeFilters": {"from": "now-7d", "to": "now"},
        "query": ANY,
        "filters": [],
    }
    attributes = {
        "title": "Dateline: where",
        "description": "",
        "mapStateJSON": packed(state),
        "layerListJSON": packed(layers),
        "uiStateJSON": packed({"isLayerTOCOpen": False, "openTOCDetails": []}),
    }
    return saved("map", "dateline-places", attributes, [to_view("events", grid["indexPatternRefName"])])


# --- charts: Lens, kept inside of the dashboard ----------------------------------------------------------------------


def over_time() -> Table:
    """A column of a chart: the time axis."""
    return {
        "label": "Time",
        "customLabel": True,
        "dataType": "date",
        "operationType": "date_histogram",
        "sourceField": "@timestamp",
        "isBucketed": True,
        "scale": "interval",
        "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
    }


def top(field: str, label: str, size: int) -> Table:
    """A column of a chart: the most frequent values of a field."""
    return {
        "label": label,
        "customLabel": True,
        "dataType": "string",
        "operationType": "terms",
        "sourceField": field,
        "isBucketed": True,
        "scale": "ordinal",
        "params": {
            "size": size,
            "orderBy": {"type": "column", "columnId": "count"},
            "orderDirection": "desc",
            "otherBucket": False,
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
        },
    }


def count(label: str) -> Table:
    """A column of a chart: how many."""
    return {
        "label": label,
        "customLabel": True,
        "dataType": "number",
        "operationType": "count",
        "sourceField": "___records___",
        "isBucketed": False,
        "scale": "ratio",
        "params": {"emptyAsNull": False},
    }


def chart(
    title: str, series: str, x: Table, split: Table | None = None, *, view: str = "events", query: str = ""
) -> Table:
    """A bar chart in, a panel's content and its references out (as `attributes`)."""
    columns = {"x": x, **({"split": split} if split else {}), "count": count(view.capitalize())}
    layer: Table = {
        "layerId": "layer",
        "layerType": "data",
        "seriesType": series,
        "xAccessor": "x",
        "accessors": ["count"],
        **({"splitAccessor": "split"} if split else {}),
    }
    visualization = {
        "legend": {"isVisible": True, "position": "right"},
        "preferredSeriesType": series,
        "valueLabels": "hide",
        "axisTitlesVisibilitySettings": {"x": False, "yLeft": False, "yRight": False},
        "layers": [layer],
    }
    formed = {"columns": columns, "columnOrder": list(columns), "incompleteColumns": {}}
    return {
        "title": title,
        "type": "lens",
        "visualizationType": "lnsXY",
        "references": [to_view(view, "indexpattern-datasource-layer-layer")],
        "state": {
            "visualization": visualization,
            "query": {"query": query, "language": "kuery"},
            "filters": [],
            "datasourceStates": {"formBased": {"layers": {"layer": formed}}},
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


# --- the dashboard ---------------------------------------------------------------------------------------------------


def dashboard(
    charts: list[tuple[str, Table, tuple[int, int, int, int]]], others: list[tuple[Table, tuple[int, int, int, int]]]
) -> Table:
    """Charts, other saved objects, and where each stands (x, y, width, height of 48 columns) in, the dashboard out."""
    panels: list[Table] = []
    references: list[Table] = []
    for name, content, place in charts:
        panels.append(
            panel(
                "lens", name, content["title"], place, {"embeddableConfig": {"attributes": content, "enhancements": {}}}
            )
        )
        references += [{**reference, "name": f"{name}:{reference['name']}"} for reference in content["references"]]
    for other, place in others:
        name = other["id"]
        rest = {"embeddableConfig": {"enhancements": {}}, "panelRefName": f"panel_{name}"}
        panels.append(
            panel(
                other["type"], name, other["attributes"]["title"].removeprefix("Dateline: ").capitalize(), place, rest
            )
        )
        references.append({"type": other["type"], "id": name, "name": f"{name}:panel_{name}"})
    attributes = {
        "title": "Dateline: what happens",
        "description": "Events as they are told, where, by kind and country; alerts, sanctions, and what could not be read.",
        "panelsJSON": packed(panels),
        "optionsJSON": packed({"useMargins": True, "syncColors": True, "syncCursor": True, "hidePanelTitles": False}),
        "kibanaSavedObjectMeta": {"searchSourceJSON": packed({"query": ANY, "filter": []})},
        "timeRestore": True,
        "timeFrom": "now-7d",
        "timeTo": "now",
        "refreshInterval": {"pause": False, "value": 60_000},
        "version": 1,
    }
    return saved("dashboard", "dateline", attributes, references)


def panel(kind: str, name: str, title: str, place: tuple[int, int, int, int], rest: Table) -> Table:
    """What every panel has."""
    x, y, width, height = place
    grid = {"x": x, "y": y, "w": width, "h": height, "i": name}
    return {"type": kind, "version": "8.11.0", "panelIndex": name, "title": title, "gridData": grid, **rest}


def objects() -> list[Table]:
    """Every saved object, those that are referred to first."""
    told = "news.modality : (asserted or planned)"
    alerts = listing(
        "dateline-latest-alerts",
        "Dateline: latest alerts",
        "alerts",
        ["rule.name", "news.headline", "news.countries", "url.full"],
    )
    sanctions = listing(
        "dateline-sanctions",
        "Dateline: sanctions",
        "events",
        [
            "news.actor_countries",
            "news.recipient_countries",
            "news.evidence",
            "news.modality",
            "news.publisher",
            "url.full",
        ],
        "news.kind : sanctions",
    )
    where = places()
    kind, country = top("news.kind", "Kind", 12), top("news.countries", "Country", 15)
    types, modality = top("news.event_type", "Type", 16), top("news.modality", "Modality", 5)
    publisher, stage = top("news.publisher", "Publisher", 15), top("news.stage", "Stage", 8)
    charts = {
        "kinds": chart("Events by kind", "bar_stacked", over_time(), kind, query=told),
        "countries": chart("Top countries", "bar_horizontal", country, query=told),
        "modality": chart("Types and modality", "bar_horizontal_stacked", types, modality),
        "publishers": chart("Who tells it", "bar_horizontal", publisher),
        "failures": chart("Not read, by stage", "bar_stacked", over_time(), stage, view="failures"),
    }
    stand = {
        "kinds": (0, 0, 30, 14),
        "countries": (30, 0, 18, 14),
        "modality": (0, 44, 20, 14),
        "publishers": (20, 44, 14, 14),
        "failures": (34, 44, 14, 14),
    }
    board = dashboard(
        [(name, content, stand[name]) for name, content in charts.items()],
        [(where, (0, 14, 24, 16)), (alerts, (24, 14, 24, 16)), (sanctions, (0, 30, 48, 14))],
    )
    return [*map(data_view, VIEWS), alerts, sanctions, where, board]


def text() -> str:
    """The file."""
    return "".join(json.dumps(one, sort_keys=True, ensure_ascii=False) + "\n" for one in objects())


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
