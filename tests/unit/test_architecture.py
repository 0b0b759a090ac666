"""The house rules that a reader of the imports can check."""

import ast
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parents[2] / "pipeline"
FILES = sorted(PIPELINE.rglob("*.py"))

OWNERS = {
    "kafka": {f"bus/{room}.py" for room in ("topics", "publish", "read", "group", "lag", "share")},
    "faust": {"app.py"},
    "aiokafka": {"app.py"},
    "elasticsearch": {"index.py"},
    "elastic_transport": {"index.py"},
    "prometheus_client": {"metrics.py"},
    "apprise": {"notify.py"},
    "feedparser": {"collect/feed.py"},
    "warcio": {"collect/archive.py"},
    "tomli_w": {"collect/feeds.py"},
    "courlan": {"collect/urls.py"},
    "trafilatura": {"extract.py"},
    "jpype": {"local/jvm.py"},
    "scipy": {"detect/opinion/fit.py", "detect/opinion/train.py"},
    "jgo": {"local/jars.py"},
    "typer": {
        f"cli/{room}.py" for room in ("__init__", "common", "service", "texts", "feeds", "look", "alerts", "learn")
    },
}
"""One library in one module: a change of library is a change of one file."""

PURE = (
    *(f"records/{room}.py" for room in ("__init__", "wire", "collection", "understanding", "following")),
    "flow.py",
    "track.py",
    "alert.py",
    "resolve.py",
    "collect/schedule.py",
    "collect/feed.py",
    "collect/sitemap.py",
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
    assert "random" not in {owner for owner, _ in calls}, f"{name} rolls its own dice"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PIPELINE)))
def test_only_the_command_prints(file):
    if file.parent.name == "cli":
        return
    tree = ast.parse(file.read_text("utf-8"))
    prints = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"]
    assert not prints, f"{file.name} prints in lines {prints}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PIPELINE)))
def test_every_module_says_what_it_is_and_is_one_room(file):
    text = file.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module starts with its docstring"
    assert text.count("\n") <= 500, "a module of over 500 lines is two rooms"
