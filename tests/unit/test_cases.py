"""Each condition of tests/cases that others reported, and each that needs a server, is what some test checks."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
SHARED = TESTS.parents[1] / "shared" / "cases"
ON_SERVERS = {
    "closed-index": "test_where_every_document_of_an_index_would_fail_the_indexer_waits_and_names_it",
    "compressed-record": "test_records_that_the_cluster_compresses_by_itself_are_read",
}
"""The conditions that a folder cannot hold, and the integration test of each."""


def sources():
    return {file: file.read_text("utf-8") for file in TESTS.rglob("test_*.py") if file != Path(__file__)}


def texts(source):
    """The literal texts of a file."""
    return {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_folder_of_cases_is_read_by_a_test():
    folders = {folder.name for folder in (TESTS / "cases").iterdir()}
    read = {text.partition("/")[0] for source in sources().values() if "cases" in source for text in texts(source)}
    assert folders
    assert not folders - read
    if SHARED.exists():  # beside the project where it is built
        assert {folder.name for folder in SHARED.iterdir() if folder.is_dir()} == folders | ON_SERVERS.keys()


def test_what_needs_a_server_has_an_integration_test():
    functions = {
        node.name
        for source in sources().values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }
    assert not set(ON_SERVERS.values()) - functions
