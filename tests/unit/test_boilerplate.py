"""Lines that are reporting, and lines that are not."""

import pytest

from pipeline.page.boilerplate import agency_of, clean, paragraphs

BODY = ["Ministers met in Lima on Tuesday.", "They agreed on a plan for the ports.", "Talks go on next week."]


@pytest.mark.parametrize(
    "line",
    [
        "Advertisement",
        "Story continues below",
        "Share on Facebook | Tweet | Email",
        "Read more: Five things to know about the talks",
        "Related stories",
        "Sign up for our daily newsletter and never miss an update",
        "Follow us on Telegram for more",
        "This site uses cookies to improve your experience",
        "Photo: Jane Doe / Getty",
        "3 min read",
        "Comments (12)",
        "|---|---|---|",
        '[button link="https://p.example/" type="big"] Send us yours [/button]',
        "Leggi anche: i porti del Perù",
        "(Lire aussi : les ports du Pérou)",
        "Te puede interesar: los puertos",
        "Читайте также: порты Перу",
        "Get the paper on the go by clicking here",
        "- Order Reprints",
    ],
)
def test_furniture_is_dropped_in_the_middle_of_an_article(line):
    assert clean([BODY[0], line, *BODY[1:]])[0] == BODY


@pytest.mark.parametrize(
    "tail",
    [
        ["© 2024 The Paper. All rights reserved."],
        ["Read our editorial charter."],
        [
            "Stay informed",
            "A free subscription brings the paper to you.",
            "The Paper is provided free for all readers.",
            "All rights reserved.",
        ],
        ["Subscribe now for full access to our journalism"],
        ["This article was originally published by The Other Paper. Read the original article."],
        ["Reporting by Ann Lee in Lima; Editing by Bo Ek"],
        ["Tags: Peru, ports"],
        ["Lima - Rua do Porto, 11 - Fone: (047) 2100-8000"],
        ["Contact the author at ann@paper.example"],
        ["For more on this story, visit our website"],
        ["ENDS"],
    ],
)
def test_a_publishers_tail_is_dropped_at_the_end(tail):
    assert clean(BODY + tail)[0] == BODY


@pytest.mark.parametrize(
    "line",
    [
        "The company said a monthly subscription would cost 12 dollars from May.",
        "Copyright law in the European Union was changed last year.",
        "The minister read the charter aloud and signed up to all of it.",
        "“We share the grief of the families,” he said.",
        "Visitors to the capital said the streets were calm.",
        "Updated figures show that trade fell.",
        "Watch groups counted 300 protests.",
        "Follow-up talks are planned in Geneva.",
        "AP Moller-Maersk stopped all traffic through the strait.",
        "The Pan African Parliament (PAP) will vote in May.",
        "Photographs of the site show two craters.",
        "Support for the government fell to 30 percent.",
    ],
)
def test_news_with_the_same_words_is_kept_inside_an_article(line):
    assert line in clean([BODY[0], line, *BODY[1:]])[0]


@pytest.mark.parametrize(
    ("line", "credit"),
    [
        ("-with AAP", "AAP"),
        ("— with AAP and Reuters", "AAP"),
        ("(Reuters)", "Reuters"),
        ("— AP", "AP"),
        ("AFP", "AFP"),
        ("Source: Xinhua", "Xinhua"),
        ("With files from The Canadian Press", "The Canadian Press"),
        ("Additional reporting by Reuters", "Reuters"),
        ("The Associated Press contributed to this report.", "AP"),
        ("© 2024 AFP", "AFP"),
        ("— with Harbour Wire", "Harbour Wire"),
        ("(Harbour Wire)", "Harbour Wire"),
    ],
)
def test_a_credit_is_taken_and_its_line_dropped(line, credit):
    assert clean([*BODY, line]) == (BODY, credit)


def test_an_agency_in_the_place_line_is_the_credit_and_the_line_stays():
    lines = ["LIMA, Peru (AP) — Ministers met on Tuesday.", *BODY[1:]]
    assert clean(lines) == (lines, "AP")
    assert clean(["MOSCOW (Reuters) - Ministers met.", *BODY])[1] == "Reuters"


def test_without_a_credit_there_is_none():
    assert clean(BODY) == (BODY, None)
    assert clean(["The WHO (Geneva) said: all is well.", *BODY])[1] is None


def test_the_title_is_not_repeated_and_the_line_under_it_stays():
    assert clean(["Ministers MEET in Lima!", "Ports were discussed", *BODY], title="Ministers meet in Lima")[0] == [
        "Ports were discussed",
        *BODY,
    ]


def test_an_article_is_never_cut_to_nothing():
    assert clean(["All rights reserved."])[0] == ["All rights reserved."]


def test_paragraphs_are_lines_with_single_spaces():
    assert paragraphs("a  b\n\n \tc\u00a0d \r\n") == ["a b", "c d"]


@pytest.mark.parametrize(
    ("name", "agency"), [("AFP", "AFP"), ("By Reuters", "Reuters"), ("Associated Press", "AP"), ("Ann Lee", None)]
)
def test_a_byline_may_be_an_agency(name, agency):
    assert agency_of(name) == agency
