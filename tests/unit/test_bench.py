"""The benchmark without a run: its articles, its isolated settings, its results and its news site."""

import json
import random
import re
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bench import measure, rig, site
from bench.chaos_net import REFUSED_SECONDS, TcpProxy
from pipeline.cli import show
from pipeline.collect.feed import parse_feed
from pipeline.operate import service_process
from pipeline.settings import Elasticsearch, Kafka, Settings, load

SAMPLE = Path(__file__).parents[2] / "configs/sample/articles"
PAGE = "<html><body><nav><p>menu</p></nav><article><h1>Head</h1><p>{}</p></article><footer><p>end</p></footer></body></html>"


def words(page):
    return re.sub(r"<[^>]*>", " ", page).split()


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_figure_that_was_seen(share, expected):
    assert measure.percentile(list(range(1, 101)), share) == expected
    assert measure.percentile([7.0], share) == 7.0


def test_a_page_grows_by_the_background_of_others_and_keeps_its_own_frame_and_lead():
    other = PAGE.format("lead one</p><p>lead two</p><p>" + "background " * 30)
    grown = measure.lengthen(PAGE.format("own lead"), [other, other], 60)
    assert grown.count("own lead") == grown.count("<h1>Head</h1>") == grown.count("menu") == 1
    assert grown.count("background") == 60
    assert "lead one" not in grown
    assert measure.lengthen("<p>no article</p>", [other], 60) == "<p>no article</p>"


def test_the_articles_are_long_different_and_the_same_in_each_run():
    samples = measure.pages(SAMPLE)
    made = list(measure.make_articles(samples, 80, name="load", chance=random.Random(1)))
    again = list(measure.make_articles(samples, 80, name="load", chance=random.Random(1)))
    assert made == again
    assert len({article.path for article in made}) == len({article.html for article in made}) == 80
    assert all(len(words(article.html)) > 0.9 * measure.WORDS for article in made)
    assert all(article.title and "<" not in article.title for article in made)
    others = measure.make_articles(samples, 80, name="warm", chance=random.Random(1))
    assert {article.path for article in made}.isdisjoint(article.path for article in others)


@pytest.mark.parametrize(("speed", "number"), [(0.1, measure.FEWEST), (4.0, 180), (40.0, 300)])
def test_a_slow_machine_gets_fewer_articles(speed, number):
    assert measure.number_under_load(speed, 300, 300.0) == number


def test_without_sample_articles_it_says_where_it_looked(tmp_path):
    with pytest.raises(measure.BenchError, match=re.escape(str(tmp_path))):
        measure.pages(tmp_path)


def test_invented_articles_never_reach_the_cluster_that_is_configured(tmp_path):
    configured = Settings(
        kafka=Kafka(bootstrap_servers="kafka.example:9092", security_protocol="SSL", ca_file="ca.pem", partitions=3),
        elasticsearch=Elasticsearch(url="https://es.example:9200", api_key="secret", ca_file="ca.pem"),
        directory=str(tmp_path),
    )
    mine = rig.isolated_settings(configured, tmp_path / "data")
    environ = {"DATELINE_KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092", "DATELINE_ELASTICSEARCH_API_KEY": "secret"}
    seen_by_a_process = load(tmp_path, environ | rig.environment(mine))
    for settings in (mine, seen_by_a_process):
        assert settings.bootstrap_servers == f"127.0.0.1:{mine.local.kafka_port}"
        assert settings.elasticsearch_url == f"http://127.0.0.1:{mine.local.elasticsearch_port}"
        assert settings.kafka.security_protocol == "PLAINTEXT"
        assert settings.kafka.ca_file == settings.elasticsearch.api_key == settings.elasticsearch.ca_file == ""
        assert settings.http.worker_port == mine.http.worker_port != Settings().http.worker_port
    assert service_process.port_variables(mine).items() <= rig.environment(mine).items()


def test_the_figures_that_others_read_have_their_names():
    late = measure.Latency(articles=3, p50_seconds=0.12345, p99_seconds=1.0)
    result = measure.Result(
        articles=3, words_per_article=450, processes=2, articles_per_second=4.56789, plain_nlp_pipe_articles_per_second=9.0,
        ratio=0.5, p50_seconds=0.1, p99_seconds=0.2, peak_memory_mb=1500, plain_one_process=5.0, plain_all_processes=9.0,
        load=late, steady=late, trickle=late, steady_articles_per_second=2.0, memory_mb={"worker": 900}, events=9,
        core_ratio=0.9, plain_cpu_seconds_per_1000=110.0, cpu_seconds_per_1000={"worker, pool": 120.0}, load_average=2.5,
    )  # fmt: skip
    table = json.loads(json.dumps(result.table()))
    promised = (
        "articles_per_second",
        "plain_nlp_pipe_articles_per_second",
        "ratio",
        "p50_seconds",
        "p99_seconds",
        "peak_memory_mb",
    )
    assert set(promised) <= table.keys()
    assert table["articles_per_second"] == 4.568
    assert table["load"]["p50_seconds"] == 0.123
    assert show.bench(result)


# --- the news site ---------------------------------------------------------------------------------------------------


@pytest.fixture
def stand():
    one = site.NewsSite()
    yield one
    one.stop()


def ask(url, etag=""):
    request = urllib.request.Request(url, headers={"If-None-Match": etag})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_what_is_out_stands_in_one_feed_and_can_be_read(stand):
    articles = [site.SyntheticArticle(f"/load/{n}", f"Head & {n}", PAGE.format(n)) for n in range(2 * site.FEEDS)]
    stand.release(articles)
    entries = [entry.url for url in stand.feeds() for entry in parse_feed(ask(url)[2]).entries]
    assert sorted(entries) == sorted(stand.url + article.path for article in articles)
    assert ask(stand.url + "/load/3")[2].decode() == articles[3].html
    assert ask(stand.url + "/load/99")[0] == 404


def test_an_article_counts_from_the_feed_that_first_lists_it(stand):
    [url, *_] = stand.feeds()
    stand.release([site.SyntheticArticle("/load/0", "Head", "page")])
    assert stand.listed == {}
    _, headers, _ = ask(url)
    first = stand.listed["/load/0"]
    assert ask(url, headers["ETag"])[0] == 304
    ask(url)
    assert stand.listed == {"/load/0": first}


def test_a_feed_drops_the_oldest_but_nothing_that_has_not_been_read(stand):
    [url, *_] = stand.feeds()
    number = site.FEEDS * (site.LISTED_MOST + 10)
    stand.release([site.SyntheticArticle(f"/load/{n}", "Head", "page") for n in range(number)])
    assert ask(url)[2].count(b"<item>") == site.LISTED_MOST + 10
    assert ask(url)[2].count(b"<item>") == site.LISTED_MOST


def test_a_client_of_a_server_that_is_down_is_not_let_go_at_once(free_tcp_port):
    """It counts a connection to the proxy as a success, and asked again hundreds of times a second."""
    proxy = TcpProxy(free_tcp_port)
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
            began = time.monotonic()
            assert client.recv(1) == b""
            assert time.monotonic() - began > REFUSED_SECONDS / 2
    finally:
        proxy.close()
