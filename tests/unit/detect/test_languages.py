"""A text in another language is indexed, and no event is read out of it; sentences written for this test."""

import json

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Settings

TEXTS = {
    "de": "Der französische Präsident traf am Dienstag in Berlin den Kanzler. Die Ukraine war das Thema. Bei dem Angriff in "
    "Israel starben drei Soldaten, sagte ein Minister.",
    "fr": "La France accuse la Russie d'attaques contre le Mali. Les sanctions contre l'Iran ont été levées mardi.",
    "es": "El presidente de México visita Washington. Israel ataca Gaza y Estados Unidos acusa a Rusia de sabotaje.",
    "it": "Il presidente italiano visita Berlino mentre la NATO accusa Mosca di sabotaggio. Israele attacca Gaza.",
    "nl": "De premier ontmoet president Biden in Washington. De VS dreigt met sancties tegen Iran; ook China is boos.",
    "pt": "O presidente do Brasil visita Portugal e acusa Israel. A Rússia ataca Kiev e a NATO protesta em Bruxelas.",
    "tr": "Cumhurbaşkanı Moskova'da Putin ile görüştü. İsrail Gazze'ye saldırdı ve ABD protesto etti.",
    "ru": "Президент России встретился с председателем КНР в Москве. Украина нанесла удар по Крыму.",
    "ar": "التقى الرئيس المصري نظيره التركي في القاهرة يوم الثلاثاء وبحثا الوضع في غزة.",
    "zh": "法国总统周二在北京会见中国国家主席，双方讨论了乌克兰局势，并签署了贸易协定。",
}


@pytest.fixture(scope="module")
def models():
    return load_models(Settings())


def events(models, text):
    (line,) = detect_jsonl([json.dumps({"id": "a", "text": text})], models)
    return json.loads(line)["events"]


@pytest.mark.parametrize("language", TEXTS)
def test_no_event_is_read_out_of_another_language(models, language):
    assert events(models, TEXTS[language]) == []


@pytest.mark.parametrize(
    "text",
    [
        "Ghana accused Togo of smuggling on Monday.",
        "Putin, Xi meet in Moscow",
        "BERLIN - Germany expels three Russian diplomats",
        "Israel strikes Gaza; Hamas vows revenge",
    ],
)
def test_english_is_read_however_short_or_full_of_names(models, text):
    assert events(models, text)
