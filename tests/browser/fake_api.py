"""A stand-in for the console: the files of the page under its headers, answers of the query API, and its moods (slow, down ...)."""

import collections
import datetime as dt
import http.server
import json
import mimetypes
import queue
import threading
import time
import urllib.parse
from pathlib import Path

from pipeline.console.access import HEADERS
from pipeline.operate.probe import NAMES, ProcessState
from pipeline.operate.status import FeedHealth, Status
from tests.browser.news import COUNTRIES, KINDS, News

STATIC = Path(__file__).parents[2] / "pipeline" / "console" / "static"
LIVE = {"story": "stories", "alert": "alerts", "event": "events", "article": "articles"}
LABELS = {**COUNTRIES, **{kind: name for kind, (name, _) in KINDS.items()}}


class FakeConsole(http.server.ThreadingHTTPServer):
    """Serves the page on a free port. `mood`: "" | "slow" | "down" | "empty" | "many". `posted`: the changes that were asked for."""

    daemon_threads = True

    def __init__(self, now=None, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.news = News(now or dt.datetime.now(dt.UTC))
        self.mood = ""
        self.role = "operate"
        self.users = {}  # name and secret; with some of them a browser has to log in
        self.logins = set()
        self.failing = ["inquirer", "old-wire"]
        self.waits_for = {}  # processes that are not ready, and why; "" for one that does not answer
        self.slow_seconds = 5.0
        self.posted = []
        self.listeners = []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def publish(self, name, item):
        """Send an item to every open page."""
        for one in list(self.listeners):
            one.put((name, item))

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        for one in list(self.listeners):
            one.put(None)
        self.shutdown()
        self.server_close()

    def handle_error(self, request, address):
        """A page that was closed while it was being answered is no error."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing: the tests' output is their own."""

    def answer(self, status, body, kind="application/json", **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        for name, value in (HEADERS | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def refuse(self, status, message, where=""):
        self.answer(status, {"error": {"status": status, "message": message, "where": where}})

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if not url.path.startswith("/api/"):
            name = url.path.removeprefix("/static/") if url.path.startswith("/static/") else "index.html"
            file = STATIC / name
            if not file.is_file():
                return self.refuse(404, f"no such file: {name}")
            return self.answer(200, file.read_bytes(), mimetypes.guess_type(name)[0] or "font/woff2")
        if self.server.users and not self.who():
            return self.refuse(401, "log in: a user's name and secret, or the secret as a bearer token")
        if self.server.mood == "down":
            return self.refuse(503, "Elasticsearch does not answer")
        if self.server.mood == "slow" and "/status" not in url.path:
            time.sleep(self.server.slow_seconds)
        parts = url.path.removeprefix("/api/v1/").split("/")
        if parts == ["live"]:
            return self.live(query["resource"])
        return self.get(parts, query)

    def who(self):
        """Return the name of who has logged in, or an empty one."""
        name = self.headers.get("Cookie", "").removeprefix("dateline=")
        return name if name in self.server.logins else ""

    def log_in(self, given):
        if self.server.users.get(given["name"]) != given["secret"]:
            return self.refuse(401, "the name or the secret is wrong")
        self.server.logins.add(given["name"])
        return self.answer(204, b"", Set_Cookie=f"dateline={given['name']}; HttpOnly; SameSite=Strict; Path=/")

    def live(self, wanted):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b": beat\n\n")
        mine = queue.Queue()
        self.server.listeners.append(mine)
        while (found := mine.get()) is not None:
            name, item = found
            if LIVE[name] not in wanted:
                continue
            try:
                self.wfile.write(f"event: {name}\ndata: {json.dumps(item)}\n\n".encode())
                self.wfile.flush()
            except OSError:
                break
        self.server.listeners.remove(mine)
        self.close_connection = True

    def status(self):
        waits = self.server.waits_for
        processes = tuple(
            ProcessState(one, "127.0.0.1:1", waits.get(one) != "", one not in waits, {"problem": waits.get(one)})
            for one in NAMES
        )
        failing = tuple(FeedHealth(id=one) for one in self.server.failing)
        index = {"reachable": True, "status": "green"}
        return Status(feeds=6, feeds_failing=failing, processes=processes, index=index).table()

    def items(self, sort):
        news, mood = self.server.news, self.server.mood
        if mood == "empty" or sort == "articles":
            return []
        if mood == "many" and sort == "events":
            return news.many(10_000)
        return getattr(news, sort)

    def get(self, parts, query):
        news = self.server.news
        one = {
            "status": self.status,
            "names": lambda: {"kinds": [{"value": k, "label": n, "type": t} for k, (n, t) in KINDS.items()], "types": [], "modalities": [], "phases": [], "countries": COUNTRIES, "groups": {"EU": ["FRA", "DEU"], "G7": ["USA"]}, "currencies": ["USD"], "rates_as_of": "2026-06"},
            "me": lambda: {"name": self.who(), "role": self.server.role, "version": "0", "until": news.ago(-600) if self.who() else None},
            "mutes": lambda: {"mutes": news.mutes},
            "rules": lambda: {"rules": [] if self.server.mood == "empty" else news.rules, "channels": ["terminal"], "problem": ""},
            "feeds": lambda: {"feeds": [] if self.server.mood == "empty" else news.feeds},
        }  # fmt: skip
        if len(parts) == 1 and parts[0] in one:
            return self.answer(200, one[parts[0]]())
        if parts == ["rules", "draft"]:
            kinds = json.dumps(query.get("kind", []))
            toml = f'[[rule]]\nname = "{query["name"][0]}"\nabout = "{query["about"][0]}"\nkinds = {kinds}\n'
            return self.answer(
                200,
                {
                    "toml": toml,
                    "not_taken": [
                        f"{name}: a rule has no such condition" for name in query if name in {"box", "domain", "since"}
                    ],
                },
            )
        if parts[0] not in {"events", "stories", "articles", "alerts"}:
            return self.refuse(404, "no such address")
        found = self.chosen(parts[0], query)
        if len(parts) == 1:
            return self.page(found, query)
        return self.figures(parts, query, found)

    def chosen(self, sort, query):
        found = self.items(sort)
        for name, field in (("kind", "kind"), ("type", "event_type"), ("rule", "rule")):
            if name in query:
                found = [one for one in found if one[field] in query[name]]
        for name, field in (("actor", "actors"), ("recipient", "recipients")):
            if name in query:
                found = [one for one in found if {p["country"] for p in one[field]} & set(query[name])]
        if "with_events" in query:
            found = [one for one in found if bool(one["kind"]) == (query["with_events"][0] == "true")]
        if "q" in query:
            words = query["q"][0].lower()
            found = [one for one in found if words in f"{one['evidence']} {one.get('headline', '')}".lower()]
        if "mark" in query:
            found = [one for one in found if (one["mark"] or "none") == query["mark"][0]]
        return found

    def page(self, found, query):
        if query.get("sort") == ["sources"]:
            found = sorted(found, key=lambda one: -one["source_count"])
        for name in ("money", "dead"):
            if query.get("sort") == [name]:
                field = {"money": "amount_usd"}.get(name, name)
                found = sorted((one for one in found if one[field]), key=lambda one: -one[field])
        start, limit = int(query.get("cursor", ["0"])[0]), int(query.get("limit", ["20"])[0])
        more = str(start + limit) if start + limit < len(found) else None
        self.answer(
            200,
            {
                "total": len(found),
                "total_is_exact": True,
                "items": found[start : start + limit],
                "next": more,
                "took_ms": 3,
            },
        )

    def figures(self, parts, query, found):
        sort, name = parts
        news = self.server.news
        if name == "facets":
            return self.answer(
                200, {"total": len(found), "facets": {field: facet(found, field) for field in query.get("field", [])}}
            )
        if name == "histogram":
            return self.answer(200, histogram(found, query.get("by", [""])[0], news))
        if name == "map":
            return self.answer(200, clusters(found))
        if name == "relations":
            return self.answer(200, relations(found, news))
        if name == "export":
            return self.answer(
                200, b"id,kind\r\n1,summit\r\n", "text/csv", Content_Disposition=f'attachment; filename="{sort}.csv"'
            )
        one = next((one for one in found if one["id"] == urllib.parse.unquote(name)), None)
        if one is None:
            return self.refuse(404, f"there is no such item among the {sort}: {name}")
        full = {"stories": news.one_story, "events": news.one_event}.get(sort, lambda same: same)
        return self.answer(200, full(one))

    def change(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("X-Dateline") != "1":
            return self.refuse(403, "the header X-Dateline is missing")
        parts = urllib.parse.urlsplit(self.path).path.removeprefix("/api/v1/").split("/")
        body = json.loads(raw) if self.headers.get("Content-Type") == "application/json" and raw else raw.decode()
        if parts == ["login"]:
            return self.log_in(body) if body else self.answer(204, b"", Set_Cookie="dateline=; Max-Age=0; Path=/")
        if self.server.users and not self.who():
            return self.refuse(401, "log in: a user's name and secret, or the secret as a bearer token")
        self.server.posted.append((self.command, "/".join(parts), body))
        return self.changed(parts, body)

    do_POST = do_PUT = do_DELETE = change  # noqa: N815 (the names that http.server calls)

    def changed(self, parts, body):
        news = self.server.news
        if parts[0] == "alerts":
            one = next(one for one in news.alerts if one["id"] == parts[1])
            one["mark"] = parts[2]
            return self.answer(200, {"mark": parts[2]})
        if parts == ["rules", "backtest"]:
            if "nonsense" in body["toml"]:
                return self.refuse(400, 'alerts.toml: rule 1: there is no key "nonsense"; nearest: "name"', "toml")
            past = [{**one, "raised_at": news.ago(60 * 24 * n + 9)} for n, one in enumerate(news.alerts)]
            return self.answer(
                200,
                {
                    "total": len(past),
                    "alerts": past,
                    "held": 1,
                    "days": len(past),
                    "most_in_a_day": 1,
                    "most_on": past[0]["raised_at"][:10],
                },
            )
        if parts == ["rules"]:
            name = body["toml"].split('name = "')[1].split('"')[0]
            news.rules.append({**news.rules[0], "name": name, "toml": body["toml"]})
            return self.answer(201, {"name": name})
        if parts == ["mutes"]:
            news.mutes.append(
                {
                    "target": "story",
                    "name": body["name"],
                    "at": news.ago(0),
                    "until": None,
                    "headline": "",
                    "note": body["note"],
                    "by": "",
                }
            )
            return self.answer(200, news.mutes[-1])
        if parts == ["feeds"]:
            if any(one["url"] == body["url"] for one in news.feeds):
                return self.refuse(409, f"{body['url']} is known already as {news.feeds[0]['id']}", "url")
            news.feeds.append({**news.feed("added", "", "unknown", 0), "url": body["url"], "checked_at": None})
            return self.answer(201, {"id": "added"})
        if parts == ["feeds", "import"]:
            return self.answer(
                200,
                {
                    "added": ["one", "two"],
                    "left_out": [{"url": "ftp://old.example/feed", "reason": "only http and https"}],
                },
            )
        if parts[0] == "feeds":
            news.feeds[:] = [one for one in news.feeds if one["id"] != parts[1]]
        return self.answer(200, {})


def facet(found, field):
    places = {
        "actor": "actors",
        "recipient": "recipients",
        "place": "places",
        "country": "actors",
        "source": "publishers",
        "type": "event_type",
        "rule": "rule",
    }
    counts = collections.Counter()
    for one in found:
        value = one.get(places.get(field, field)) or ([one["publisher"]] if field == "source" else [])
        for each in value if isinstance(value, list) else [value]:
            counts[(each["country"] if field != "place" else each["name"]) if isinstance(each, dict) else each] += 1
    return [
        {"value": value, "label": LABELS.get(value, value), "count": count}
        for value, count in counts.most_common(25)
        if value
    ]


def histogram(found, by, news):
    counts = collections.Counter(one["at"][:13] + ":00:00Z" for one in found) if found else {}
    hours = [(news.now - dt.timedelta(hours=n)).strftime("%Y-%m-%dT%H:00:00Z") for n in range(47, -1, -1)]
    if by == "feed":
        return {
            "interval": "hour",
            "by": by,
            "buckets": [
                {"at": at, "count": n % 5, "parts": {"harbour-wire": n % 5, "tribune": n % 3, "inquirer": int(n < 9)}}
                for n, at in enumerate(hours)
            ],
        }
    return {
        "interval": "hour",
        "by": by,
        "buckets": [{"at": at, "count": counts.get(at, 0), "parts": {}} for at in hours] if found else [],
    }


def clusters(found):
    spots = collections.defaultdict(list)
    for one in found:
        for where in one["places"]:
            spots[where["name"], where["lat"], where["lon"]].append(one["id"])
    return {
        "clusters": [{"lat": lat, "lon": lon, "count": len(ids), "label": name, "box": [lon - 2, lat - 2, lon + 2, lat + 2], "ids": ids[:5]} for (name, lat, lon), ids in spots.items()],
        "without_place": sum(not one["places"] for one in found),
    }  # fmt: skip


def relations(found, news):
    pairs = collections.defaultdict(list)
    codes = list(COUNTRIES)
    for one in found:
        for actor in one["actors"]:
            for recipient in one["recipients"]:
                pairs[actor["country"], recipient["country"]].append(one["event_type"])
    if found:  # a denser matrix than a few stories give, always the same
        for n in range(90):
            pairs[codes[(n * 7) % 12], codes[(n * 5 + 3) % 13]] += [
                ("AID", "SANCTION", "CONSULT", "ASSAULT")[n % 4]
            ] * (1 + (n * n) % 23)
    cells = [
        {"actor": a, "recipient": r, "count": len(types), "types": dict(collections.Counter(types)), "amount_usd": 425e6 if (a, r) == ("USA", "UKR") else None,
         "buckets": [{"at": (news.now - dt.timedelta(days=29 - n)).strftime("%Y-%m-%dT00:00:00Z"), "count": (len(types) * (n * n % 7)) // 9} for n in range(30)]}
        for (a, r), types in pairs.items() if a != r
    ]  # fmt: skip
    total = collections.Counter()
    for cell in cells:
        total[0, cell["actor"]] += cell["count"]
        total[1, cell["recipient"]] += cell["count"]
    ends = [
        [
            {"value": code, "label": COUNTRIES[code], "count": count}
            for (way, code), count in total.most_common()
            if way == side
        ]
        for side in (0, 1)
    ]
    return {"actors": ends[0], "recipients": ends[1], "cells": cells, "interval": "day"}
