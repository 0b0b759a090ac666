"""The dashboard looks at fields and indices that exist, and everything that it refers to is in the file."""

import fnmatch
import importlib.util
import json
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from pipeline.index import actions, templates
from pipeline.settings import Elasticsearch

DIRECTORY = Path(__file__).parents[2] / "deploy/kibana"
OBJECTS = [
    json.loads(line) for file in sorted(DIRECTORY.glob("*.ndjson")) for line in file.read_text("utf-8").splitlines()
]
BY_KEY = {(one["type"], one["id"]): one for one in OBJECTS}
BOARD = BY_KEY["dashboard", "dateline"]
PANELS = json.loads(BOARD["attributes"]["panelsJSON"])
NAMES = {actions.alias(Elasticsearch().index_prefix, name): name for name in actions.INDICES}


Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]+$")]


class Space(msgspec.Struct, forbid_unknown_fields=True):
    """What Kibana takes at POST /api/spaces/space."""

    id: Slug
    name: str
    description: str
    color: Annotated[str, msgspec.Meta(pattern=r"^#[0-9A-F]{6}$")]
    initials: Annotated[str, msgspec.Meta(min_length=1, max_length=2)]
    disabledFeatures: tuple[str, ...]  # noqa: N815 - Kibana's name


class Indices(msgspec.Struct, forbid_unknown_fields=True):
    """Rights on indices; those named here read only."""

    names: tuple[str, ...]
    privileges: tuple[Literal["read", "view_index_metadata"], ...]


class Server(msgspec.Struct, forbid_unknown_fields=True):
    """A role's rights in Elasticsearch."""

    cluster: tuple[()]
    indices: tuple[Indices, ...]
    run_as: tuple[()]


class Rights(msgspec.Struct, forbid_unknown_fields=True):
    """A role's rights in spaces: `base` for every feature, in which case `feature` has to be empty."""

    base: tuple[Literal["read"]]
    feature: Annotated[dict[str, list[str]], msgspec.Meta(max_length=0)]
    spaces: Annotated[tuple[Slug, ...], msgspec.Meta(min_length=1)]


class Role(msgspec.Struct, forbid_unknown_fields=True):
    """What Kibana takes at PUT /api/security/role/NAME."""

    description: str
    elasticsearch: Server
    kibana: tuple[Rights, ...]


SPACE = msgspec.json.decode((DIRECTORY / "space.json").read_bytes(), type=Space)
ROLE = msgspec.json.decode((DIRECTORY / "role.json").read_bytes(), type=Role)


def test_the_readers_role_sees_the_one_space_and_reads_every_index_of_its_data_views_and_no_other():
    assert [rights.spaces for rights in ROLE.kibana] == [(SPACE.id,)]
    patterns = [name for indices in ROLE.elasticsearch.indices for name in indices.names]
    assert all(any(fnmatch.fnmatch(title, one) for one in patterns) for title in NAMES)
    assert not any(fnmatch.fnmatch(other, one) for other in (".security-7", ".kibana", "logs-web") for one in patterns)
    assert {right for indices in ROLE.elasticsearch.indices for right in indices.privileges} == {
        "read", "view_index_metadata"
    }  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"privileges": ["write"]}, {"privileges": ["all"]}, {"names": ["*"], "privileges": ["manage"]}]
)
def test_a_role_that_could_write_would_be_noticed(change):
    table = json.loads((DIRECTORY / "role.json").read_text("utf-8"))
    table["elasticsearch"]["indices"][0] |= change
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, Role)


def fields_of(view):
    """What each field of a data view is, of those that Kibana can count by or list: none inside of nested parts."""

    def walk(properties, path=""):
        for key, value in properties.items():
            if value.get("type") == "nested":
                continue
            if "properties" in value:
                yield from walk(value["properties"], f"{path}{key}.")
            else:
                yield f"{path}{key}", value.get("type", "object")

    title = BY_KEY["index-pattern", view]["attributes"]["title"]
    return dict(walk(templates.mapping(NAMES[title])["properties"]))


def views(one):
    return [reference["id"] for reference in one["references"] if reference["type"] == "index-pattern"]


def asked_in(query):
    return re.findall(r"([\w.@]+)\s*:", query)


def test_the_file_is_what_its_script_writes():
    spec = importlib.util.spec_from_file_location("build_kibana", DIRECTORY / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.FILE.read_text("utf-8") == build.text()


def test_there_is_a_data_view_for_every_alias_over_its_time():
    found = {one["attributes"]["title"]: one for one in OBJECTS if one["type"] == "index-pattern"}
    assert set(found) == set(NAMES)
    for title, one in found.items():
        assert one["attributes"]["timeFieldName"] == "@timestamp"
        assert fields_of(one["id"])["@timestamp"] == "date", title


def test_ids_are_unique_and_every_reference_leads_to_an_object_of_the_file():
    assert len(BY_KEY) == len(OBJECTS)
    for one in OBJECTS:
        assert len({reference["name"] for reference in one["references"]}) == len(one["references"])
        for reference in one["references"]:
            assert (reference["type"], reference["id"]) in BY_KEY


def test_what_is_referred_to_comes_first_in_the_file():
    order = [(one["type"], one["id"]) for one in OBJECTS]
    for position, one in enumerate(OBJECTS):
        assert all(order.index((r["type"], r["id"])) < position for r in one["references"])


@pytest.mark.parametrize("panel", [p for p in PANELS if p["type"] == "lens"], ids=lambda p: p["panelIndex"])
def test_a_chart_counts_by_keywords_and_dates_that_its_index_has(panel):
    content = panel["embeddableConfig"]["attributes"]
    layers = content["state"]["datasourceStates"]["formBased"]["layers"]
    for name, layer in layers.items():
        reference = next(r for r in content["references"] if r["name"] == f"indexpattern-datasource-layer-{name}")
        hoisted = {"type": "index-pattern", "id": reference["id"], "name": f"{panel['panelIndex']}:{reference['name']}"}
        assert hoisted in BOARD["references"]
        fields = fields_of(reference["id"])
        wanted = {"terms": "keyword", "date_histogram": "date"}
        for column in layer["columns"].values():
            if column["operationType"] != "count":
                assert fields[column["sourceField"]] == wanted[column["operationType"]], column["sourceField"]
        assert set(layer["columnOrder"]) == set(layer["columns"])
        assert set(asked_in(content["state"]["query"]["query"])) <= set(fields)
        drawn = next(v for v in content["state"]["visualization"]["layers"] if v["layerId"] == name)
        assert {drawn["xAccessor"], *drawn["accessors"], *filter(None, [drawn.get("splitAccessor")])} == set(
            layer["columns"]
        )


@pytest.mark.parametrize("one", [o for o in OBJECTS if o["type"] == "search"], ids=lambda o: o["id"])
def test_a_list_shows_and_asks_for_fields_that_its_index_has(one):
    fields = fields_of(views(one)[0])
    source = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    used = [
        *one["attributes"]["columns"],
        *(column for column, _ in one["attributes"]["sort"]),
        *asked_in(source["query"]["query"]),
    ]
    assert set(used) <= set(fields)
    assert source["indexRefName"] in {reference["name"] for reference in one["references"]}


def test_the_map_draws_points_of_an_index_that_has_them():
    one = BY_KEY["map", "dateline-places"]
    sources = [layer["sourceDescriptor"] for layer in json.loads(one["attributes"]["layerListJSON"])]
    grids = [source for source in sources if source["type"] == "ES_GEO_GRID"]
    assert grids
    for grid in grids:
        reference = next(r for r in one["references"] if r["name"] == grid["indexPatternRefName"])
        assert fields_of(reference["id"])[grid["geoField"]] == "geo_point"


def test_every_panel_stands_on_the_grid_without_covering_another():
    taken = {}
    for panel in PANELS:
        grid = panel["gridData"]
        assert grid["i"] == panel["panelIndex"]
        assert grid["x"] + grid["w"] <= 48
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                assert taken.setdefault((x, y), grid["i"]) == grid["i"]


def test_a_panel_that_shows_a_saved_object_names_it_the_way_kibana_looks_it_up():
    for panel in PANELS:
        if "panelRefName" in panel:
            names = {reference["name"]: reference["type"] for reference in BOARD["references"]}
            assert names[f"{panel['panelIndex']}:{panel['panelRefName']}"] == panel["type"]


def test_the_dashboard_shows_what_the_newsroom_asked_for():
    assert {panel["title"] for panel in PANELS} >= {
        "Events by kind",
        "Top countries",
        "Where",
        "Latest alerts",
        "Sanctions",
    }
