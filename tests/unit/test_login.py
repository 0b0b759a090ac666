"""Log-ins of browsers: the cookie, who it lets in and until when, and what ends it."""

import datetime as dt
import json

import msgspec
import pytest

from pipeline.console import users
from pipeline.console.access import WRONG_SECRETS
from pipeline.console.live import Live
from pipeline.console.users import LOGIN_HOURS, Users
from pipeline.local import ports
from pipeline.settings import Console, Elasticsearch, Kafka, Settings, SettingsError
from tests import console_client
from tests.console_client import API
from tests.waiting import wait_until

NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


@pytest.fixture
def corner(tmp_path):
    """Settings with two users, and servers that are not there; and the users' secrets."""
    secrets = {
        name: users.add_user(tmp_path / "users.toml", name, role)
        for name, role in (("rita", "read"), ("otto", "operate"))
    }
    [port] = ports.free(1)
    return Settings(
        kafka=Kafka(bootstrap_servers=f"127.0.0.1:{port}"), elasticsearch=Elasticsearch(url=f"http://127.0.0.1:{port}"),
        console=Console(users_file="users.toml", audit_file="audit.jsonl"), directory=str(tmp_path),
    ), secrets  # fmt: skip


class Quiet(Live):
    """Asks no Kafka."""

    def start(self):
        pass


def served(settings):
    return console_client.served(settings, live=Quiet(settings))


def log_in(web, name, secret, status=204, **rest):
    web.ask("POST", "/login", status, json={"name": name, "secret": secret}, **rest)


def begun(known, secret):
    """The cookie of a new log-in."""
    return known.begin(known.find(None, secret), NOW)


def test_a_browser_logs_in_and_out(corner):
    settings, secrets = corner
    with served(settings) as web:
        web.ask("GET", "/me", 401)
        log_in(web, "rita", secrets["rita"])
        [cookie] = web.cookies
        assert (cookie.name, cookie.secure, cookie.path) == ("dateline", False, "/")
        assert {"HttpOnly", "SameSite"} <= set(cookie._rest)
        me = web.ask("GET", "/me")
        assert (me["name"], me["role"]) == ("rita", "read")
        assert dt.datetime.fromisoformat(me["until"]) > dt.datetime.now(dt.UTC) + dt.timedelta(hours=LOGIN_HOURS - 1)
        web.ask("POST", "/mutes", 403, json={"name": "any"})
        copied = f"dateline={cookie.value}"
        web.ask("DELETE", "/login", 204)
        assert not web.cookies
        web.ask("GET", "/me", 401)
        web.ask("GET", "/me", 401, headers={"Cookie": copied})


def test_over_tls_the_cookie_is_for_this_host_and_tls_alone(corner):
    settings, secrets = corner
    console = msgspec.structs.replace(settings.console, allowed_hosts=("news.example.org",))
    with served(msgspec.structs.replace(settings, console=console)) as web:
        answer = web.post(
            f"{web.address}{API}/login",
            json={"name": "", "secret": secrets["otto"]},
            headers={"Host": "news.example.org"},
        )
    said = answer.headers["Set-Cookie"]
    assert said.startswith("__Host-dateline=otto~")
    assert all(
        word in said for word in ("Secure", "HttpOnly", "SameSite=strict", f"Max-Age={LOGIN_HOURS * 3600}", "Path=/")
    )


def test_the_page_is_open_and_only_programs_are_challenged(corner):
    settings, _ = corner
    with served(settings) as web:
        assert "Log" not in web.get(f"{web.address}/").headers.get("WWW-Authenticate", "")
        assert web.get(f"{web.address}/search?q=x").status_code == 200
        assert web.get(f"{web.address}/static/app.js").status_code == 200
        assert web.get(f"{web.address}{API}/me").headers["WWW-Authenticate"].startswith("Basic")
        browser = web.get(f"{web.address}{API}/me", headers={"Sec-Fetch-Mode": "cors"})
        assert (browser.status_code, "WWW-Authenticate" in browser.headers) == (401, False)


@pytest.mark.parametrize("headers", [{"X-Dateline": ""}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}])
def test_no_other_site_logs_anybody_in(corner, headers):
    settings, secrets = corner
    with served(settings) as web:
        log_in(web, "rita", secrets["rita"], 403, headers=headers)
        assert not web.cookies


def test_wrong_secrets_are_counted_while_those_who_are_in_work_on(corner):
    settings, secrets = corner
    with served(settings) as web:
        log_in(web, "rita", secrets["otto"], 401)
        log_in(web, "otto", secrets["otto"])
        for _ in range(WRONG_SECRETS - 1):
            log_in(web, "otto", "guessed", 401)
        log_in(web, "otto", secrets["otto"], 429)
        assert web.ask("GET", "/me")["name"] == "otto"
        web.ask("DELETE", "/login", 204)
        file = settings.path("audit.jsonl")
        wait_until(lambda: len(file.read_text("utf-8").splitlines()) == WRONG_SECRETS + 3)
    text = file.read_text("utf-8")
    assert not any(secret in text for secret in secrets.values())
    lines = [(one["user"], one["method"], one["status"]) for one in map(json.loads, text.splitlines())]
    assert lines[1] == ("otto", "POST", 204)
    assert [status for _, _, status in lines].count(401) == WRONG_SECRETS
    assert lines[-1] == ("otto", "DELETE", 204)


def test_without_users_there_is_nothing_to_log_in_to(corner):
    settings, _ = corner
    with served(msgspec.structs.replace(settings, console=Console(audit_file="audit.jsonl"))) as web:
        log_in(web, "rita", "any", 404)
        assert web.ask("GET", "/me")["until"] is None


def test_a_cookie_ends_with_its_time_its_user_and_its_secret(corner):
    settings, secrets = corner
    known, file = Users(settings), settings.path("users.toml")
    cookie = begun(known, secrets["rita"])
    long = dt.timedelta(hours=LOGIN_HOURS)
    assert known.of_cookie(cookie, NOW + long / 2).name == "rita"
    assert known.of_cookie(cookie, NOW + long) is None
    file.write_text(users.new_user("rita", "operate")[1], "utf-8")
    assert known.of_cookie(cookie, NOW) is None
    file.write_text("", "utf-8")
    assert known.of_cookie(cookie, NOW) is None


@pytest.mark.parametrize(
    "change",
    [lambda c: c.replace("rita", "otto"), lambda c: c[:-1], lambda c: c + "0", lambda _: "", lambda _: "rita~~~é"],
)
def test_a_changed_cookie_is_nobodys(corner, change):
    settings, secrets = corner
    known = Users(settings)
    assert known.of_cookie(change(begun(known, secrets["rita"])), NOW) is None


def test_a_restart_ends_log_ins_unless_a_key_is_kept(corner):
    settings, secrets = corner
    assert Users(settings).of_cookie(begun(Users(settings), secrets["rita"]), NOW) is None
    settings.path("key").write_text("k" * 40, "utf-8")
    kept = msgspec.structs.replace(settings, console=msgspec.structs.replace(settings.console, session_key_file="key"))
    assert Users(kept).of_cookie(begun(Users(kept), secrets["rita"]), NOW).name == "rita"


@pytest.mark.parametrize(("text", "wrong"), [("short", "a key needs 32"), (None, "No such file")])
def test_a_key_that_is_none_is_named(corner, text, wrong):
    settings, _ = corner
    if text:
        settings.path("key").write_text(text, "utf-8")
    console = msgspec.structs.replace(settings.console, session_key_file="key")
    with pytest.raises(SettingsError, match=f"console.session_key_file.*{wrong}"):
        Users(msgspec.structs.replace(settings, console=console))
