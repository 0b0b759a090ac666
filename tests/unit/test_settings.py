"""Settings: where they come from, and what stops the start."""

import re
from pathlib import Path

import msgspec
import pytest

from pipeline import settings
from pipeline.logs import without_secrets
from pipeline.settings import SettingsError, without_login


def load(tmp_path, text="", environ=None):
    (tmp_path / "dateline.toml").write_text(text, "utf-8")
    return settings.load(tmp_path, environ or {})


def test_without_a_file_the_defaults_hold(tmp_path):
    """A missing dateline.toml is no error."""
    loaded = settings.load(tmp_path / "nowhere", {})
    assert loaded.kafka.partitions == settings.Kafka().partitions
    assert loaded.bootstrap_servers == f"127.0.0.1:{loaded.local.kafka_port}"


def test_the_environment_is_above_the_file_and_the_file_above_the_defaults(tmp_path):
    """Three layers, the last one wins."""
    loaded = load(tmp_path, "[kafka]\npartitions = 6\nretention_days = 3", {"DATELINE_KAFKA_PARTITIONS": "12"})
    assert (loaded.kafka.partitions, loaded.kafka.retention_days, loaded.kafka.replication_factor) == (12, 3, 1)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ELASTICSEARCH_URL", "nonsense", "elasticsearch: url: 'nonsense' is not like https://elastic.example:9200"),
        ("ELASTICSEARCH_URL", "https://es.example", "is not like https://elastic.example:9200"),
        ("ELASTICSEARCH_URL", "http://me:topsecret@", "elasticsearch: url: 'http://***@' is not like"),
        ("ELASTICSEARCH_URL", "es:9200", "is not like"),
        ("KAFKA_BOOTSTRAP_SERVERS", "nonsense", "kafka: bootstrap_servers: 'nonsense' is not like"),
        ("KAFKA_BOOTSTRAP_SERVERS", "one:9092,two", "'two' is not like kafka.example:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka://me:topsecret@one:9092", "'kafka://***@one:9092' is not like"),
    ],
)
def test_an_address_that_cannot_be_used_stops_the_start_and_keeps_its_password(tmp_path, variable, value, says):
    """The client's own error came with a traceback, or not before the first request."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, environ={f"DATELINE_{variable}": value})
    assert says in str(caught.value)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9200", "https://es.example:443/path", "http://me:pw@[::1]:9200", "http://es:9200/"]
)
def test_addresses_that_can_be_used(tmp_path, url):
    load(
        tmp_path,
        environ={
            "DATELINE_ELASTICSEARCH_URL": url,
            "DATELINE_KAFKA_BOOTSTRAP_SERVERS": "a:9092, [::1]:9092,10.0.0.1:1",
        },
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[kafka]\npartition = 3", "kafka.partition: unknown key, did you mean 'partitions'?"),
        ("[kafkas]\n", "kafkas: unknown key, did you mean 'kafka'?"),
        ("[kafka]\npartitions = 'six'", "kafka.partitions: Expected `int`, got `str`"),
        ("[kafka]\npartitions = 0", "kafka.partitions: Expected `int` >= 1"),
        ("[kafka\n", "dateline.toml"),
        ("[detect]\nmodels = 'en'", "detect.models"),
        ("directory = 'x'", "directory: unknown key"),
    ],
)
def test_a_wrong_file_stops_the_start_with_the_path_of_the_key(tmp_path, text, says):
    """The message names the file and the key."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert says in str(caught.value)
    assert "dateline.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATELINE_KAFKA_PARTITIONS", "many", "'many' is not a number like 4"),
        ("DATELINE_KAFKA_BOOTSTRAP_SERVER", "x:1", "unknown variable, did you mean DATELINE_KAFKA_BOOTSTRAP_SERVERS?"),
        ("DATELINE_PASSWORD", "x", "unknown variable"),
        ("DATELINE_COLLECTOR_FETCH_PAGES", "perhaps", "'perhaps' is not true or false"),
        ("DATELINE_ELASTICSEARCH_PASSWORD_FILE", "/nowhere/secret", "/nowhere/secret"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path, name, value, says):
    """The message names the variable."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, environ={name: value})
    assert name in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[worker]\nprocesses = 'two'", "for example processes = 0"),
        ("[detect]\nmodels = 'en_core_web_sm'", 'for example models = ["en_core_web_sm"'),
        ("[collector]\nfetch_pages = 'yes'", "for example fetch_pages = true"),
        ("[log]\nlevel = 'loud'", 'for example level = "info"'),
    ],
)
def test_a_wrong_type_is_told_with_an_example_of_a_right_one(tmp_path, text, says):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert says in str(caught.value)


def test_a_password_in_the_url_of_elasticsearch_becomes_an_option_and_is_never_shown(tmp_path):
    text = '[elasticsearch]\nurl = "https://me%40paper:s%2Fecret@es.example:9200/path"'
    found = load(tmp_path, text)
    assert found.elasticsearch_url == "https://es.example:9200/path"
    assert (found.elasticsearch.username, found.elasticsearch.password) == ("me@paper", "s/ecret")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://me:secret@es:9200/_bulk failed", "GET https://***@es:9200/_bulk failed"),
        ('{"url": "http://u:p@ss@h/x", "next": "https://h/a@b"}', '{"url": "http://***@h/x", "next": "https://h/a@b"}'),
        ("mail me@paper.example", "mail me@paper.example"),
    ],
)
def test_the_login_of_any_url_is_left_out_of_what_is_shown(text, shown):
    assert without_login(text) == without_secrets(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to elastic:s3cret@es:9200 failed", "to ***@es:9200 failed"), ("//u:s3cret@h/feed.xml", "//***@h/feed.xml"),
        ("GET https://h/rss?a=1&api_key=s3cret&b=2", "GET https://h/rss?a=1&api_key=***&b=2"), ("https://h/#access_token=s3cret", "https://h/#access_token=***"),
        ("Authorization: ApiKey s3cretc0de==", "Authorization: ApiKey ***"), ("Basic income is told at 12:30 by a@b.example:1", "Basic income is told at 12:30 by a@b.example:1"),
        ("https://h/a?tokens=3 https://h//@me/b", "https://h/a?tokens=3 https://h//@me/b"),
    ],
)  # fmt: skip
def test_a_log_line_has_no_keys_and_tokens_either(text, shown):
    assert without_secrets(text) == shown


def test_a_secret_comes_from_a_file(tmp_path):
    """DATELINE_..._FILE, without the line's end."""
    secret = tmp_path / "password"
    secret.write_text("hunter2\n", "utf-8")
    loaded = load(tmp_path, environ={"DATELINE_ELASTICSEARCH_PASSWORD_FILE": str(secret)})
    assert loaded.elasticsearch.password == "hunter2"


def test_lists_booleans_and_fractions_come_from_the_environment(tmp_path):
    """Typed by the default of the option."""
    loaded = load(
        tmp_path,
        environ={
            "DATELINE_DETECT_MODELS": "one, two",
            "DATELINE_COLLECTOR_FETCH_PAGES": "false",
            "DATELINE_INDEXER_BATCH_WAIT_SECONDS": "0.25",
        },
    )
    assert loaded.detect.models == ("one", "two")
    assert loaded.collector.fetch_pages is False
    assert loaded.indexer.batch_wait_seconds == 0.25


def test_every_option_is_read_somewhere():
    """An option that changes nothing is a lie to who sets it."""
    package = Path(settings.__file__).parent
    rooms = [file.read_text("utf-8") for file in package.rglob("*.py") if file.name != "settings.py"]
    unread = []
    for section in msgspec.structs.fields(settings.Settings)[:-1]:  # the last is the directory
        readers = "".join(code for code in rooms if re.search(rf"\.{section.name}\b|\b{section.name.title()}\b", code))
        options = msgspec.structs.fields(section.type)
        unread += [f"{section.name}.{o.name}" for o in options if not re.search(rf"\.{o.name}\b", readers)]
    assert unread == []
