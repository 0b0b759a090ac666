"""The trained model as onnxruntime runs it: files that are wrong are named, and an article is read alone."""

import json
import shutil

import numpy as np
import pytest

from pipeline.detect import detect_jsonl, encoder, load_models
from pipeline.detect.encoder import Encoder, ReaderError
from pipeline.detect.kinds import built_in
from pipeline.detect.reader import MODALITIES, ROLES
from pipeline.settings import Detect, Settings
from tests.unit.detect import stub

FILES = ("reader.onnx", "tokenizer.json", "reader.json")
ARTICLES = (
    {"id": 0, "text": "Belgium expelled two Russian diplomats on Monday. Russia protested.", "published": "2024-06-14"},
    {"id": 1, "title": "Ghana, Togo sign trade deal", "text": "Ghana and Togo signed a trade agreement in Accra."},
    {"id": 2, "text": "Police in Lagos arrested twelve men. " * 12, "published": "2024-06-14"},
    {"id": 3, "text": "Rain fell in Oslo."},
    {
        "id": 4,
        "title": "Rebels attack army post in Mali",
        "text": "Rebels attacked an army post in Mali, killing nine soldiers.",
    },
)


@pytest.fixture(scope="module")
def models():
    return load_models(Settings())


@pytest.fixture(scope="module")
def trained(models):
    return models.encoder


@pytest.fixture
def copy(tmp_path):
    """A directory with the shipped model's files, as links."""
    for name in FILES:
        (tmp_path / name).symlink_to(stub.MODEL / name)
    return tmp_path


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_there_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(ReaderError, match=rf"{name}: no such file"):
        Encoder(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_broken_is_told_with_its_directory(copy, name):
    (copy / name).unlink()
    (copy / name).write_bytes(b"{broken")
    with pytest.raises(ReaderError, match=str(copy)):
        Encoder(copy)


@pytest.mark.parametrize("name", encoder.FACTS)
def test_a_fact_that_is_missing_is_named(copy, name):
    facts = json.loads((copy / "reader.json").read_text("utf-8"))
    (copy / "reader.json").unlink()
    (copy / "reader.json").write_text(json.dumps({key: value for key, value in facts.items() if key != name}))
    with pytest.raises(ReaderError, match=rf"reader.json: {name} is missing"):
        Encoder(copy)


def test_a_trained_model_of_ones_own_is_used(tmp_path):
    own = tmp_path / "own"
    shutil.copytree(stub.MODEL, own)
    facts = json.loads((own / "reader.json").read_text("utf-8"))
    (own / "reader.json").write_text(json.dumps(facts | {"event_least": 1.1}))
    settings = Settings(detect=Detect(reader="own"), directory=str(tmp_path))
    (line,) = detect_jsonl([json.dumps(ARTICLES[0])], load_models(settings))
    assert json.loads(line)["events"] == []
    with pytest.raises(ReaderError, match=r"none.reader\.onnx: no such file"):
        load_models(Settings(detect=Detect(reader="none"), directory=str(tmp_path)))


# --- scores ----------------------------------------------------------------------------------------------------------


def test_the_heads_have_the_sizes_that_the_kinds_and_roles_ask_for(trained):
    text = "Belgium expelled two Russian diplomats."
    (window,) = trained.windows.cut("", text, [(0, len(text))])
    scores = trained.scores(window)
    size = len(window)
    assert scores.kind.shape == (size, 1 + len(built_in()))
    assert scores.modality.shape == (size, len(MODALITIES))
    assert scores.main.shape == (size,)
    assert scores.bias.shape == (size, len(ROLES))
    assert scores.hidden.shape[0] == size
    assert trained.roles(scores, 2).shape == (len(ROLES), size)
    assert len(trained.facts["role_least"]) == len(ROLES)


def test_the_longest_window_can_be_read(trained):
    text = "word " * 140 + ". " + "word " * 100 + "."
    (window,) = trained.windows.cut("", text, stub.sentences(text))
    assert np.isfinite(trained.scores(window).kind).all()


def test_that_two_triggers_tell_one_happening_is_a_share_and_does_not_depend_on_their_order(trained):
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, trained.same_weight.size)).astype(np.float32)
    assert 0 < trained.same(one, other) < 1
    assert trained.same(one, other) == pytest.approx(trained.same(other, one))


# --- the same article, the same events -------------------------------------------------------------------------------


def read(models, *articles):
    return {json.loads(line)["id"]: line for line in detect_jsonl(map(json.dumps, articles), models)}


def test_an_article_says_the_same_whatever_is_read_beside_and_before_it(models):
    alone = {}
    for article in ARTICLES:
        alone |= read(models, article)
    assert sum(bool(json.loads(line)["events"]) for line in alone.values()) >= 3
    assert read(models, *ARTICLES) == alone
    assert read(models, *reversed(ARTICLES)) == alone
    assert read(models, ARTICLES[2], *ARTICLES * 3, ARTICLES[4]) == alone


def test_another_process_of_the_same_model_says_the_same(models):
    assert read(load_models(Settings()), *ARTICLES) == read(models, *ARTICLES)


def test_two_windows_of_one_article_are_scored_alone(trained):
    texts = ("Belgium expelled two Russian diplomats.", "Rain fell. " * 30)
    windows = [window for text in texts for window in trained.windows.cut("", text, stub.sentences(text))]
    first = [trained.scores(window).kind for window in windows]
    again = [trained.scores(window).kind for window in reversed(windows)][::-1]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
