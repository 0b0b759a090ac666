"""Each cell of docs/python.md runs, and prints what stands under it."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from dateline import Client, ClientError, Reader, detect, read_article
from pipeline import bus
from pipeline.stage import Rejected
from tests.console_client import served
from tests.integration.test_console import AID, ALERT, DOCUMENT, EURO, OTHER, SANCTIONS, STORY, STRIKE, corner, put

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/python.md").read_text("utf-8")
CELLS = re.findall(r"```python\n(.*?)```\n```text\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def address(stack, tmp_path_factory):
    mine = corner(stack, tmp_path_factory.mktemp("python"))
    bus.create_topics(mine)
    put(mine, DOCUMENT, AID, EURO, STRIKE, SANCTIONS, STORY, OTHER, ALERT)
    with served(mine) as web:
        yield web.address


def test_every_cell_prints_what_stands_under_it(address, tmp_path, monkeypatch):
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    assert len(CELLS) == len(re.findall(r"```python", PAGE)), "every cell has its output"
    for code, output in CELLS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code.replace("http://127.0.0.1:29110", address), names)
        assert printed.getvalue() == output, code


def test_the_client_reads_every_page_and_says_what_is_wrong(address):
    client = Client(address)
    assert len(list(client.events(limit=None))) == 4
    assert len(list(client.events(limit=3))) == 3
    assert [one.id for one in client.stories(q="China")] == ["other"]
    assert [one.id for one in client.articles(q="aid")] == [DOCUMENT.id]
    assert next(client.alerts()).rule == "large-aid"
    assert "aid" in {event.id for event in client.article(DOCUMENT.id).events}
    with pytest.raises(ClientError, match="kimd") as caught:
        client.count(kimd="x")
    assert caught.value.status == 400
    with pytest.raises(ClientError) as caught:
        Client("http://127.0.0.1:1").count()
    assert caught.value.status == 0


def test_an_article_is_read_from_a_file_a_page_or_a_text(tmp_path):
    file = tmp_path / "a.html"
    file.write_text("<html><body><p>Text.</p></body></html>", "utf-8")
    assert read_article(file).content_type == "text/html"
    text = read_article("Plain words.", title="A", publisher="B", published="2026-11-10")
    assert (text.content_type, text.title, text.publisher, text.published_at.year) == ("text/plain", "A", "B", 2026)
    assert read_article("Plain words.").id == read_article("Plain words.").id


def test_a_text_that_is_no_article_has_no_events_and_the_reader_says_why():
    assert detect("") == detect("Too short.") == ()
    with pytest.raises(Rejected) as caught:
        Reader().read(read_article("Too short."))
    assert caught.value.reason == "too_short"
