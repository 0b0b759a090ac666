"""Rules of the code that can be checked in its imports."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parents[2] / "pipeline"
FILES = sorted(PIPELINE.rglob("*.py"))

ROOMS = (
    ("process", "toml"),
    ("settings",),
    ("logs", "metrics", "records"),
    ("stage",),
    ("bus",),
    ("page",),
    ("collect",),
    ("annotate",),
    ("detect",),
    ("track",),
    ("alert",),
    ("flow",),
    ("index", "notify"),
    ("worker", "local"),
    ("operate",),
    ("console",),
    ("cli",),
)
"""From the bottom to the top: a room imports only from rooms in earlier rows."""

FILE_LINES = 400
"""The most lines a file may have, so that it is read in one sitting. The only place that says so."""

OWNERS = {
    "kafka": {
        f"bus/{file}.py"
        for file in ("topics", "publish", "read", "group", "lag", "share", "broker", "rights", "create", "cluster")
    },
    "faust": {"worker/faust_app.py"},
    "aiokafka": {"worker/faust_app.py"},
    "elasticsearch": {"index/client.py"},
    "elastic_transport": {"index/client.py"},
    "prometheus_client": {"metrics.py"},
    "apprise": {"notify/channels.py"},
    "feedparser": {"collect/feed.py"},
    "warcio": {"collect/archive.py"},
    "tomli_w": {"collect/feeds.py"},
    "aiohttp": {f"collect/{file}.py" for file in ("http_client", "http_body", "subscriber")},
    "protego": {"collect/robots.py"},
    "courlan": {"page/urls.py"},
    "cssselect": {"page/markup.py"},
    "trafilatura": {"page/extract.py"},
    "htmldate": {"page/page_dates.py"},
    "py3langid": {"page/extract.py"},
    "charset_normalizer": {"page/decode.py"},
    "dateparser": {"page/date_parsing.py"},
    "jpype": {"local/jvm.py"},
    "snowballstemmer": {"annotate/vocabulary.py"},
    "spacy": {"annotate/parse.py", "detect/own_kinds.py"},
    "onnxruntime": {"detect/encoder.py"},
    "tokenizers": {"detect/encoder.py"},
    "starlette": {f"console/{file}.py" for file in ("api", "app", "access", "export_endpoints", "feed_endpoints")},
    "arro3": {"index/export.py"},
    "uvicorn": {"console/server.py"},
    "jgo": {"local/jars.py"},
    "typer": {
        f"cli/{file}.py"
        for file in (
            "__init__",
            "common",
            "search_options",
            *(f"{what}_commands" for what in ("service", "article", "feed", "search", "alert", "train", "index")),
        )
    },
}
"""One library in one module: a change of library is a change of one file."""

PURE = (
    *(f"records/{file}.py" for file in ("__init__", "wire", "collection", "understanding", "following")),
    "flow.py",
    "annotate/resolve.py",
    "annotate/subject.py",
    "annotate/vocabulary.py",
    "annotate/homonyms.py",
    "annotate/wording.py",
    *(
        f"detect/{file}.py"
        for file in (
            "windows",
            "reader",
            "parties",
            "offices",
            "spans",
            "persons",
            "details",
            "drafts",
            "merge",
            "events",
            "export",
        )
    ),
    *(f"track/{file}.py" for file in ("stories", "story", "subjects", "scorer", "rarity", "brief", "central")),
    *(f"track/{file}.py" for file in ("happenings", "happening", "families", "likeness", "profile", "sources", "line")),
    "alert/evaluate.py",
    "alert/matters.py",
    "alert/throttle.py",
    "alert/backtest.py",
    *(f"collect/{file}.py" for file in ("schedule", "rhythm", "skip_hours", "seen", "seen_urls", "article", "websub")),
    *(f"collect/{file}.py" for file in ("doubt", "identity", "prose", "refresh")),
    *(f"collect/{file}.py" for file in ("entry", "feed", "jsonfeed", "sitemap", "opml", "safe_xml", "http_headers")),
    *(f"page/{file}.py" for file in ("boilerplate", "clutter", "date_parsing", "decode", "facts", "json_ld", "urls")),
    *(f"page/{file}.py" for file in ("kinship", "live", "markup", "page_dates", "parts", "script_body")),
    *(f"page/{file}.py" for file in ("others", "plain", "weekdays")),
)
"""The middle is pure: no network, no clock, no randomness there."""

IMPURE_MODULES = {"socket", "urllib.request", "aiohttp", "subprocess", "threading", "asyncio"}
CLOCKS = {("datetime", "now"), ("dt", "now"), ("time", "time"), ("date", "today"), ("datetime", "utcnow")}


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PIPELINE)))
def test_a_library_is_imported_by_its_one_owner_only(file):
    name = str(file.relative_to(PIPELINE))
    tree = ast.parse(file.read_text("utf-8"))
    taken = {module.split(".")[0] for module in imports(tree)}
    strangers = {library for library in taken & OWNERS.keys() if name not in OWNERS[library]}
    assert not strangers, f"{name} imports {strangers}; owners: { {s: OWNERS[s] for s in strangers} }"


@pytest.mark.parametrize("name", PURE)
def test_the_middle_is_pure(name):
    tree = ast.parse((PIPELINE / name).read_text("utf-8"))
    assert not set(imports(tree)) & IMPURE_MODULES
    calls = {
        (
            node.func.value.attr if isinstance(node.func.value, ast.Attribute) else getattr(node.func.value, "id", ""),
            node.func.attr,
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & CLOCKS, f"{name} reads the clock"
    assert "random" not in {owner for owner, _ in calls}, f"{name} uses its own randomness"


def modules(package):
    """Every module of a package by its dotted name, and the modules of the package that each imports, for types only or not."""
    files = {}
    for file in package.rglob("*.py"):
        parts = file.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    graph = {}
    for name, file in files.items():
        taken = set()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                each = {f"{node.module}.{alias.name}" for alias in node.names}
                taken |= {one if one in files else node.module for one in each}
            elif isinstance(node, ast.Import):
                taken |= {alias.name for alias in node.names}
        graph[name] = (taken & files.keys()) - {name}
    return graph


def circles(graph):
    """The circles of a graph of imports, each as the sorted names in it."""
    graph = dict(graph)
    while True:
        free = [name for name, taken in graph.items() if not taken & graph.keys()]
        if not free:
            break
        for name in free:
            del graph[name]
    while True:  # what only leads into a circle is none
        taken_by = {one for taken in graph.values() for one in taken}
        free = [name for name in graph if name not in taken_by]
        if not free:
            return sorted(graph)
        for name in free:
            del graph[name]


def room_of(module):
    return module.split(".")[1] if "." in module else ""


def test_every_room_has_its_place_and_there_are_about_twenty():
    placed = {room for row in ROOMS for room in row}
    found = {path.stem for path in PIPELINE.iterdir() if path.suffix == ".py" or path.is_dir()} - {
        "__init__",
        "__pycache__",
    }
    assert found == placed
    assert len(found) <= 22


def test_the_map_names_every_room_and_only_files_that_there_are():
    text = ast.get_docstring(ast.parse((PIPELINE / "__init__.py").read_text("utf-8")))
    lines = re.findall(r"^ *(\w+)/ ", text, flags=re.MULTILINE)
    rooms = {path.name for path in PIPELINE.iterdir() if (path / "__init__.py").exists()}
    assert sorted([*lines, "worker"]) == sorted(rooms), "one line for each room; worker/ is among the processes"
    for line in text.splitlines():
        room = (re.match(r" *(\w+)/ ", line) or ["", ""])[1]
        for name in re.findall(r"[\w/]+\.(?:py|toml)", line):
            places = (PIPELINE / room / name, PIPELINE / name, PIPELINE / "worker" / name)
            assert name == "alerts.toml" or any(place.exists() for place in places), f"{line.strip()}: {name}"


def test_imports_point_one_way():
    level = {room: number for number, row in enumerate(ROOMS) for room in row}
    up = [
        f"{name} imports {taken}"
        for name, all_taken in modules(PIPELINE).items()
        for taken in all_taken
        if room_of(name) and room_of(taken) and room_of(name) != room_of(taken)
        if level[room_of(taken)] >= level[room_of(name)]
    ]
    assert not up, "\n".join(up)


def test_no_imports_go_in_a_circle():
    assert not circles(modules(PIPELINE))


def test_no_two_classes_have_one_name():
    names = Counter(
        node.name
        for file in FILES
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert not [name for name, count in names.items() if count > 1]


def test_a_planted_circle_is_found(tmp_path):
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("")
    (house / "top.py").write_text("from house import left\n")
    (house / "left.py").write_text("from house.right import thing\n")
    (house / "right.py").write_text("def thing():\n    from house import left\n    return left\n")
    assert circles(modules(house)) == ["house.left", "house.right"]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PIPELINE)))
def test_only_the_command_prints(file):
    if file.parent.name == "cli":
        return
    tree = ast.parse(file.read_text("utf-8"))
    prints = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"]
    assert not prints, f"{file.name} prints in lines {prints}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PIPELINE)))
def test_every_module_has_a_docstring_and_is_not_too_long(file):
    text = file.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module starts with its docstring"
    assert text.count("\n") <= FILE_LINES, f"a module of over {FILE_LINES} lines has to be split"
