"""An offer to subscribe below the beginning of an article, however long it is: what is read is the beginning, cut short."""

import pytest

from pipeline.page.offers import without_offer
from tests.unit.collect.cases import check_stories, collect
from tests.unit.collect.test_odd_sites import MORE, OFFER, TEXTS, TITLES, make_feed, page

PLANS = [
    (OFFER, OFFER.replace("Our subscribers", "All subscribers")),
    (
        "Subscribe to unlock this article",
        "Standard Digital",
        "Essential digital access to quality journalism on any device. Pay a year upfront and save 20%.",
        "$45 per month. Complete digital access to journalism with expert analysis from industry leaders. Cancel anytime during your trial.",
        "Why our subscribers stay: unlimited articles, the newsletters of our editors, and the archive since 1888, on any device and in our app.",
        "Already a subscriber? Sign in to keep reading. Terms of the offer apply to each plan and to each month of the trial.",
        "For teams and schools: choose a plan for many readers, with digital access for the whole organisation and exclusive features each month.",
    ),
    (
        "Weiterlesen mit dem Digital-Abonnement",
        "Jetzt testen: der erste Monat für 1 €, danach 12,99 € im Monat, jederzeit kündbar. Unbegrenzter Zugang zu allen Artikeln.",
        "Alle Artikel der Redaktion, das E-Paper schon am Vorabend, und das Archiv seit 1945 gehören zu jedem Angebot für Abonnenten.",
        "Bereits Abonnent? Hier anmelden. Studenten zahlen im Monat die Hälfte, und ein zweites Gerät gehört zu jedem Angebot.",
    ),
    (
        "Cet article est réservé aux abonnés",
        "Abonnez-vous pour 1 € par mois, sans engagement. Accès illimité à tous les articles du site et de l'application.",
        "Déjà abonné ? Se connecter. Les abonnés reçoivent chaque soir notre lettre, et ils ont accès aux archives depuis 1944.",
    ),
]  # fmt: skip


@pytest.mark.parametrize("plans", PLANS)
@pytest.mark.parametrize("text", [True, False])
async def test_a_long_offer_below_a_teaser_is_no_part_of_the_article(plans, text):
    pages = make_feed("{base}/s/{n}", text=text)
    pages |= {f"/s/{n}": page(title, TEXTS[title], *plans) for n, title in enumerate(TITLES)}
    articles, documents, _ = await collect(pages)
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)
    assert not any(line in document.text for document in documents for line in plans)


NEWS = [
    "The newspaper raises its price: subscribers pay 14 euros per month from January on, the publisher said on Friday.",
    "Whoever has subscribed for a year keeps the old price, and may cancel at any time, as the trial of a new plan has shown.",
    "Students pay half for digital access, and the archive stays open to all members, said the head of the house.",
]


def test_news_about_subscriptions_are_kept():
    assert without_offer(NEWS, "Newspaper raises price for subscribers in January") == (NEWS, False)
    assert without_offer([TEXTS[TITLES[0]], NEWS[0], MORE, MORE], TITLES[0])[1] is False
    assert without_offer([TEXTS[TITLES[0]], "A subscription costs 5 euros."], TITLES[0])[1] is False
    whole = [f"{MORE} {number}" for number in range(10)]
    assert without_offer([*whole, *PLANS[1]], TITLES[0]) == ([*whole, *PLANS[1]], False)
    assert without_offer([], "") == ([], False)
