"""Invented records as the query API answers them: a few stories with everything in them, hostile text, and ten thousand events."""

import datetime as dt
import itertools

HOSTILE = "<img src=x onerror=\"window.hit='title'\"><script>window.hit='script'</script>"
HOSTILE_URL = "javascript:window.hit='url'"
ARABIC = "مصر تستضيف محادثات وقف إطلاق النار في القاهرة"
LONG_WORD = (
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungszeremonienvorbereitungsausschusssitzung"
)
KINDS = {
    "aid_package": ("aid package", "AID"), "summit": ("summit", "CONSULT"), "sanctions": ("sanctions", "SANCTION"), "ceasefire": ("ceasefire", "AGREE"),
    "strike": ("air strike", "ASSAULT"), "protest": ("protest", "PROTEST"), "expulsion": ("expulsion", "COERCE"), "threat": ("threat", "THREATEN"),
}  # fmt: skip
COUNTRIES = {
    "USA": "United States", "UKR": "Ukraine", "RUS": "Russia", "FRA": "France", "DEU": "Germany", "CHN": "China", "JPN": "Japan", "KEN": "Kenya", "IRN": "Iran",
    "ISR": "Israel", "EGY": "Egypt", "ARM": "Armenia", "AZE": "Azerbaijan", "CZE": "Czechia", "SDN": "Sudan", "MMR": "Myanmar", "GBR": "United Kingdom",
}  # fmt: skip
PLACES = {
    "Kyiv": ("UKR", 50.45, 30.52), "Nairobi": ("KEN", -1.29, 36.82), "Cairo": ("EGY", 30.04, 31.24), "Yerevan": ("ARM", 40.18, 44.51), "Prague": ("CZE", 50.09, 14.42),
    "Port Sudan": ("SDN", 19.62, 37.22), "Washington": ("USA", 38.9, -77.04), "Naypyidaw": ("MMR", 19.76, 96.08),
}  # fmt: skip
WIRES = ("Harbour Wire", "The Morning Tribune", "City Inquirer", "Ledger", "Continental Desk", "Evening Post")


def party(code, text=None):
    return {
        "text": text or COUNTRIES.get(code, code),
        "name": COUNTRIES.get(code, code),
        "country": code if code in COUNTRIES else None,
        "country_name": COUNTRIES.get(code),
        "sector": "GOV",
    }


def place(name):
    country, lat, lon = PLACES[name]
    return {"text": name, "name": name, "country": country, "country_name": COUNTRIES[country], "lat": lat, "lon": lon}


def money(value, currency="USD", usd=None):
    return {"text": f"{value:,}", "value": value, "currency": currency, "low": None, "usd": usd or value}


def listed(report):
    """A report in, its article as a story lists it out."""
    same = {name: report[name] for name in ("title", "url", "publisher", "credit", "published_at", "seen_at")}
    return {**same, "id": report["article_id"], "copy_of": "first" if report["credit"] else ""}


class News:
    """All that the fake server knows. Times are relative to `now`, so that a picture always shows a fresh day."""

    def __init__(self, now):
        self.now = now
        self.stories = [
            self.story(4, "aid_package", "United States announces $425 million military aid for Ukraine", ["USA"], ["UKR"], "Kyiv", sources=6, money=[money(425_000_000)],
                evidence="The United States announced a new military aid package for Ukraine worth $425 million on Tuesday, the Pentagon said."),
            self.story(11, "summit", "Leaders of Kenya and Japan hold summit in Nairobi", ["KEN", "JPN"], [], "Nairobi", sources=3,
                evidence="President Ruto received Japan's prime minister in Nairobi for the first summit of the two countries in nine years."),
            self.story(26, "strike", "Drone strike on a fuel depot in Port Sudan kills 14", ["SDN"], [], "Port Sudan", sources=2, dead=14, injured=31, confidence=0.78,
                evidence="At least 14 people were killed when drones struck a fuel depot in Port Sudan before dawn, the governor said."),
            self.story(44, "ceasefire", ARABIC, ["EGY"], [], "Cairo", modality="planned", phase="planned", evidence="أعلنت القاهرة أنها ستستضيف محادثات غير مباشرة يوم الخميس."),
            self.story(58, "expulsion", "Czechia expels three Russian diplomats", ["CZE"], ["RUS"], "Prague", sources=2, evidence="Prague ordered three employees of the Russian embassy to leave within 72 hours."),
            self.story(95, "sanctions", HOSTILE, ["GBR"], ["MMR"], "Naypyidaw", publishers=(HOSTILE, "Ledger"), evidence=HOSTILE, url=HOSTILE_URL),
            self.story(160, "threat", f"{LONG_WORD} threatens to leave talks", ["IRN"], ["ISR"], None, modality="hypothetical", confidence=0.55, evidence=LONG_WORD),
            self.story(300, "ceasefire", "Armenia and Azerbaijan agree to a ceasefire from midnight", ["ARM", "AZE"], [], "Yerevan", sources=4, evidence="Both foreign ministries confirmed that a ceasefire takes effect at midnight along the whole border."),
            self.story(500, "protest", "Dockers deny that a strike in Rotterdam is planned", ["FRA"], [], None, modality="denied", evidence="No walkout is planned, the union said."),
            self.untold(70, "Plum cake the way the village bakes it"),
        ]  # fmt: skip
        self.events = [
            self.event(story, n)
            for story in self.stories
            if story["kind"]
            for n in range(max(1, story["source_count"]))
        ]
        self.alerts = [self.alert(self.stories[0], "large-aid-package", 3), self.alert(self.stories[1], "leaders-meet", 10, mark="ack"),
            self.alert(self.stories[4], "diplomats-expelled", 57, held="throttled"), self.alert(self.stories[5], "new-sanctions", 94)]  # fmt: skip
        self.feeds = [
            self.feed("harbour-wire", "Harbour Wire", "ok", 120),
            self.feed("tribune", "The Morning Tribune: world", "ok", 48),
            self.feed(
                "inquirer",
                "City Inquirer",
                "failing",
                12,
                error="HTTP 503 from www.inquirer.example: the server is overloaded",
                failures=4,
            ),
            self.feed(
                "quiet",
                "Ministry of Foreign Affairs, press releases",
                "silent",
                3,
                silence="nothing for 9 days; usually one each 14 hours",
            ),
            self.feed("hostile", HOSTILE, "retired", 0, error=f"410 Gone: {HOSTILE}"),
            self.feed("new", "A feed that was just added", "waiting", 0),
        ]
        self.rules = [
            {"name": name, "about": about, "enabled": True, "toml": f'[[rule]]\nname = "{name}"\nabout = "{about}"\nkinds = ["{kind}"]\n', "rang": rang, "held": held, "right": right, "false": false,
             "precision": right / (right + false) if right + false else None}
            for name, about, kind, rang, held, right, false in (
                ("large-aid-package", "An aid package of 100 million US dollars or more", "aid_package", 14, 2, 9, 1), ("leaders-meet", "Leaders of two countries meet, or a summit is announced", "summit", 31, 0, 12, 3),
                ("diplomats-expelled", "A country expels another's diplomats", "expulsion", 6, 1, 0, 0), ("new-sanctions", "Sanctions are imposed or announced", "sanctions", 22, 4, 11, 0))
        ]  # fmt: skip
        self.mutes = []

    def ago(self, minutes):
        return (self.now - dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def common(
        self,
        minutes,
        kind,
        actors,
        recipients,
        where,
        *,
        modality="asserted",
        confidence=0.91,
        money=(),
        dead=None,
        injured=None,
        evidence="",
        url=None,
    ):
        day = (self.now - dt.timedelta(days=1)).date().isoformat()
        return {
            "at": self.ago(minutes), "kind": kind, "kind_name": KINDS[kind][0], "event_type": KINDS[kind][1], "subtype": None, "modality": modality, "confidence": confidence,
            "actors": [party(one) for one in actors], "recipients": [party(one) for one in recipients], "places": [place(where)] if where else [],
            "date": {"text": "Tuesday", "start": day, "end": day, "precision": "day"}, "money": list(money), "amount_usd": money[0]["usd"] if money else None,
            "quantities": [{"text": str(dead), "value": dead, "unit": "dead"}] if dead else [], "dead": dead, "injured": injured, "items": [], "evidence": evidence,
            "url": url or f"https://www.harbour.example/{kind}/{minutes}", "first_seen_at": self.ago(minutes + 35), "score": None,
        }  # fmt: skip

    def story(
        self, minutes, kind, headline, actors, recipients, where, *, sources=1, publishers=(), phase="happened", **rest
    ):
        return {
            **self.common(minutes, kind, actors, recipients, where, **rest), "id": f"story-{minutes}", "revision": sources, "headline": headline, "line": "", "phase": phase, "change": "new",
            "publishers": list(publishers or WIRES[:sources]), "source_count": sources, "article_count": sources + 2, "publisher": WIRES[0], "countries": actors + recipients,
            "last_seen_at": self.ago(minutes), "part_of": "", "merged_into": "",
        }  # fmt: skip

    def untold(self, minutes, headline):
        """Return a story whose articles tell no event."""
        story = self.story(minutes, "strike", headline, [], [], None, evidence="")
        return {**story, "kind": "", "kind_name": "", "event_type": "", "confidence": 0.0}

    def event(self, story, n):
        own = {name: story[name] for name in ("kind", "kind_name", "event_type", "subtype", "modality", "confidence", "actors", "recipients", "places", "date", "money", "amount_usd", "quantities", "dead", "injured", "items", "evidence", "url", "score")}  # fmt: skip
        trigger = next(
            (word for word in ("announced", "struck", "received", "ordered", "confirmed") if word in story["evidence"]),
            "",
        )
        return {
            **own, "id": f"{story['id']}-event-{n}", "at": story["at"], "event_mode": None, "section": "text", "start": 0, "end": len(story["evidence"]), "trigger": trigger, "title": story["headline"],
            "publisher": story["publishers"][n % len(story["publishers"])], "credit": None, "language": "ar" if story["headline"] == ARABIC else "en", "attributed_to": "Pentagon" if n == 0 and story["money"] else None,
            "contexts": ["military"] if story["money"] else [], "rule": "reader", "article_id": f"{story['id']}-article-{n}", "published_at": story["at"], "first_seen_at": story["at"], "plover": story["event_type"], "cameo": "07",
        }  # fmt: skip

    def alert(self, story, rule, minutes, *, held="", mark=None):
        own = {
            name: story[name]
            for name in (
                "headline",
                "evidence",
                "url",
                "kind",
                "kind_name",
                "event_type",
                "modality",
                "confidence",
                "countries",
                "publishers",
                "score",
            )
        }
        return {
            **own, "id": f"alert-{rule}", "at": self.ago(minutes), "raised_at": self.ago(minutes), "rule": rule, "about": "", "occasion": "new", "message": "", "channels": [] if held else ["terminal"], "held": held,
            "story_id": story["id"], "event_id": f"{story['id']}-event-0", "mark": mark, "marked_by": None, "note": None,
        }  # fmt: skip

    def feed(self, name, title, status, entries, *, error=None, failures=0, silence=None):
        return {
            "id": name, "url": f"https://www.{name}.example/rss.xml", "title": title, "publisher": title, "group": "agencies" if status == "ok" else "", "language": "en", "enabled": True, "status": status, "error": error,
            "failures": failures, "checked_at": self.ago(2), "succeeded_at": self.ago(2), "due_at": self.ago(-6), "newest_at": self.ago(11) if entries else None, "entries": entries, "gap_seconds": 5400.0 if entries else None, "silence": silence,
        }  # fmt: skip

    def one_story(self, story):
        events = [one for one in self.events if one["id"].startswith(f"{story['id']}-event")]
        reports = [
            {"event_id": e["id"], "article_id": e["article_id"], "title": e["title"], "url": e["url"], "publisher": e["publisher"], "source": e["publisher"], "credit": "Harbour Wire" if n == 3 else None, "evidence": e["evidence"],
             "modality": e["modality"], "confidence": e["confidence"], "language": e["language"], "attributed_to": e["attributed_to"], "seen_at": self.ago(9 * n + 5), "published_at": self.ago(9 * n + 6)}
            for n, e in enumerate(events)
        ]  # fmt: skip
        differ = (
            [
                {
                    "field": "money",
                    "values": [
                        {"value": "$425 million", "publishers": list(WIRES[:4])},
                        {"value": "$400 million", "publishers": ["Evening Post"]},
                    ],
                }
            ]
            if story["money"]
            else []
        )
        return {
            **story, "timeline": self.changes(), "happenings": self.happenings(story, events), "articles": [listed(one) for one in reports],
            "reports": reports, "alerts": [a for a in self.alerts if a["story_id"] == story["id"]], "related": [one for one in self.stories if one is not story][:3], "events": events, "disagreements": differ,
        }  # fmt: skip

    def changes(self):
        said = (
            (64, "first reported by Harbour Wire"),
            (51, "second independent source: The Morning Tribune"),
            (22, "another sum: $400 million"),
        )
        return [{"at": self.ago(minutes), "what": what} for minutes, what in said]

    def happenings(self, story, events):
        names = ("kind", "kind_name", "event_type", "modality", "phase", "evidence", "source_count", "confidence")
        main = {
            **{name: story[name] for name in names}, "id": "main", "line": story["headline"], "background": False, "first_seen_at": self.ago(64),
            "last_seen_at": self.ago(4), "event_ids": [one["id"] for one in events], "timeline": self.changes(),
        }  # fmt: skip
        return [
            main,
            {
                **main,
                "id": "before",
                "line": "",
                "evidence": "Both sides had met in spring.",
                "background": True,
                "event_ids": [],
                "timeline": [],
            },
        ]

    def one_event(self, event):
        story = next(one for one in self.stories if event["id"].startswith(f"{one['id']}-event"))
        lead = "A flag 🇺🇦 stood behind the lectern. " if story["money"] else ""
        text = (
            f"{lead}{event['evidence']}\nOfficials in three capitals were told beforehand. "
            + "More was said about the talks, none of it new. " * 12
            + "\nA second paragraph follows, with the background that every reader knows."
        )
        start = len(lead)
        end = start + len(event["evidence"])
        spans = [{"section": "text", "start": start, "end": end, "role": "evidence", "text": event["evidence"]}]
        found = [("actor", event["actors"]), ("recipient", event["recipients"]), ("place", event["places"])]
        words = [(role, one["text"]) for role, all_of in found for one in all_of] + [
            ("trigger", event["trigger"]),
            ("money", "$425 million"),
            ("date", "Tuesday"),
            ("quantity", "14 people"),
        ]
        spans += [
            {
                "section": "text",
                "start": text.index(word),
                "end": text.index(word) + len(word),
                "role": role,
                "text": word,
            }
            for role, word in words
            if word and word in event["evidence"]
        ]
        article = {
            "id": event["article_id"],
            "title": event["title"],
            "text": text,
            "url": event["url"],
            "publisher": event["publisher"],
            "published_at": event["published_at"],
        }
        return {
            **event,
            "article": article,
            "spans": spans,
            "stories": [story],
            "others": [one for one in self.events if one["kind"] != event["kind"]][:2],
        }

    def many(self, count):
        """Ten thousand events, as one that takes in the world would hold."""
        turns = itertools.cycle(self.events)
        return [
            {**next(turns), "id": f"many-{n}", "at": self.ago(n), "published_at": self.ago(n)} for n in range(count)
        ]
