"""The Helm chart: rendered by Helm, valid by Kubernetes' own schemas, and as safe and complete as the runbook promises."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import typer
import yaml

from pipeline import bus, cli
from pipeline.bus.rights import RIGHTS
from pipeline.settings import Settings, Snapshots, load
from tests.unit.test_deploy import run, tool, variables

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/dateline"
PROCESSES = ("collector", "worker", "indexer", "notifier", "console")
KUBERNETES = ("1.27", "1.37")
"""The oldest version that the chart allows, and the newest whose schemas are there."""

LEAST = {"kafka": {"bootstrapServers": "kafka.news:9093"}, "elasticsearch": {"url": "https://search.news:9200"}}
MOST = {
    "image": {"repository": "registry.example/dateline", "digest": f"sha256:{'0' * 64}"},
    "imagePullSecrets": [{"name": "registry"}],
    "kafka": LEAST["kafka"] | {"caSecret": "brokers-ca", "principal": "User:dateline-{process}", "partitions": 4},
    "elasticsearch": LEAST["elasticsearch"] | {"caSecret": "search-ca"},
    "snapshots": {"repository": "nightly", "location": "/mnt/shared/dateline", "keep": 7},
    "config": {"dateline.toml": "[track]\nopen_days = 7\n", "alerts.toml": "", "feeds.toml": ""},
    "env": {"DATELINE_COLLECTOR_USER_AGENT": "Desk/1 (desk@example.org)"},
    "notifier": {"channelsSecret": "channels"},
    "console": {
        "sessionKey": "session_key", "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "page-tls"}
    },
    "keda": {"enabled": True},
    "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {"notifierTo": [{"podSelector": {"matchLabels": {"app": "mail"}}}]},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "news", "operator": "Exists"}],
    "priorityClassName": "news",
    "podAnnotations": {"team": "desk"},
    "processes": {"operator": {"enabled": True}},
}  # fmt: skip
MUTUAL = {**MOST, "kafka": MOST["kafka"] | {"securityProtocol": "SSL"}, "console": {"tlsSecret": "page-tls"}}
PLAIN = {
    **LEAST,
    "kafka": LEAST["kafka"] | {"securityProtocol": "PLAINTEXT"},
    "elasticsearch": LEAST["elasticsearch"] | {"apiKeySecretPrefix": ""},
    "networkPolicy": {"enabled": False}, "disruptionBudget": {"enabled": False},
    "processes": {"setup": {"enabled": False}, "notifier": {"enabled": False}},
}  # fmt: skip
ALL = {"least": LEAST, "most": MOST, "mutual": MUTUAL, "plain": PLAIN}


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    """Call helm with values; absent, it skips the test here and fails it in CI."""
    found = shutil.which("helm")
    if found is None:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail("helm is absent; .ci/run fetches it")
        pytest.skip("helm is not installed")
    file = tmp_path_factory.mktemp("helm") / "values.json"

    def call(*words: str, values: dict) -> subprocess.CompletedProcess[str]:
        file.write_text(json.dumps(values), "utf-8")
        command = [found, *words, str(CHART), "--values", str(file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return call


@pytest.fixture(scope="module")
def rendered(helm):
    """The objects that a set of values gives, by kind and name."""

    @cache
    def render(name: str) -> dict[tuple[str, str], dict]:
        done = helm("template", "desk", values=ALL[name])
        assert done.returncode == 0, done.stderr
        objects = [item for item in yaml.safe_load_all(done.stdout) if item]
        found = {(item["kind"], item["metadata"]["name"]): item for item in objects}
        assert len(found) == len(objects)
        return found

    return render


def pods(objects):
    """Each pod's component and its spec."""
    templates = [item["spec"]["template"] for item in objects.values() if item["kind"] in ("Deployment", "Job")]
    return {item["metadata"]["labels"]["app.kubernetes.io/component"]: item["spec"] for item in templates}


def containers(pod):
    return [*pod.get("initContainers", ()), *pod["containers"]]


def environment(container):
    return {item["name"]: item["value"] for item in container["env"]}


def test_helm_finds_no_fault_in_the_chart(helm):
    for values in ALL.values():
        done = helm("lint", "--strict", values=values)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", ALL)
def test_every_object_is_valid_by_the_strict_schemas_of_kubernetes(rendered, name, version):
    for (kind, _), item in rendered(name).items():
        if not item["apiVersion"].startswith(("keda.sh/", "monitoring.coreos.com/")):
            kubernetes_validate.validate(item, version, strict=True)
            assert kind


def test_a_wrong_field_is_found_by_the_schemas(rendered):
    wrong = json.loads(json.dumps(rendered("least")["Deployment", "desk-worker"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "kafka.bootstrapServers: give the addresses"),
        ({"kafka": LEAST["kafka"]}, "elasticsearch.url: give the address"),
        (LEAST | {"kafak": {}}, "kafak"),
        (LEAST | {"image": {"digest": "sha256:short"}}, "digest"),
        (LEAST | {"snapshots": {"location": "/mnt/shared"}}, "repository"),
        (LEAST | {"kafka": {"securityProtocol": "TLS"}}, "securityProtocol"),
        (LEAST | {"console": {"ingress": {"enabled": True}}}, "the console is served over TLS alone"),
        (LEAST | {"processes": {"console": {"replicas": 2}}}, "console.sessionKey: several consoles need one"),
    ],
)
def test_wrong_values_stop_the_installation_with_their_name(helm, wrong, told):
    done = helm("template", "desk", values=wrong)
    assert done.returncode != 0
    assert told in done.stdout + done.stderr


@pytest.mark.parametrize("name", ALL)
def test_no_pod_runs_as_root_writes_to_its_image_or_has_rights(rendered, name):
    for component, pod in pods(rendered(name)).items():
        safe = pod["securityContext"]
        assert (safe["runAsNonRoot"], safe["runAsUser"], safe["fsGroup"]) == (True, 1000, 1000), component
        assert safe["seccompProfile"] == {"type": "RuntimeDefault"}, component
        assert pod["automountServiceAccountToken"] is False, component
        assert pod["enableServiceLinks"] is False, "DATELINE_CONSOLE_PORT is an option, not the address of a service"
        for container in containers(pod):
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"] is True, component
            assert own["allowPrivilegeEscalation"] is False, component
            assert own["capabilities"] == {"drop": ["ALL"]}, component
            writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
            assert writable == {"/tmp", "/var/lib/dateline"}, component


@pytest.mark.parametrize("name", ALL)
def test_every_mount_has_its_volume_and_every_volume_its_mount(rendered, name):
    for component, pod in pods(rendered(name)).items():
        for container in containers(pod):
            assert [m["name"] for m in container["volumeMounts"]] == [v["name"] for v in pod["volumes"]], component


def test_every_process_has_probes_limits_and_time_to_stop(rendered):
    ports = Settings().http
    for process, pod in pods(rendered("most")).items():
        for container in containers(pod):
            assert {"cpu", "memory"} == set(container["resources"]["requests"]), process
            assert {"cpu", "memory"} == set(container["resources"]["limits"]), process
        if process in ("setup", "operator"):
            continue
        [container] = pod["containers"]
        assert container["args"] == [process]
        assert container["ports"][0] == {"name": "metrics", "containerPort": getattr(ports, f"{process}_port")}
        for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            assert container[probe]["httpGet"] == {"path": path, "port": "metrics"}, process
        assert pod["terminationGracePeriodSeconds"] >= 15
    assert pods(rendered("most"))["worker"]["terminationGracePeriodSeconds"] > Settings().worker.drain_timeout_seconds


@pytest.mark.parametrize("name", ALL)
def test_the_settings_take_the_environment_of_every_container(rendered, name, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n", "utf-8")
    for component, pod in pods(rendered(name)).items():
        for container in containers(pod):
            given = environment(container)
            assert set(given) <= variables(), component
            files = {k: str(secret) if k.endswith(("PASSWORD_FILE", "API_KEY_FILE")) else v for k, v in given.items()}
            settings = load(tmp_path, files)
            assert settings.bootstrap_servers == "kafka.news:9093"
            places = [v for k, v in given.items() if k.endswith("_FILE")]
            mounts = tuple(m["mountPath"] + "/" for m in container["volumeMounts"])
            assert [place for place in places if not place.startswith(mounts)] == [], component
            reads_search = component in ("indexer", "console", "setup", "operator")
            assert bool(settings.elasticsearch.url) == reads_search, component
            assert bool(settings.elasticsearch.api_key) == (reads_search and name != "plain"), component
            takes_snapshots = component in ("indexer", "operator") and name in ("most", "mutual")
            wanted = Snapshots(repository="nightly", location="/mnt/shared/dateline", keep=7)
            assert settings.snapshots == (wanted if takes_snapshots else Snapshots()), component


def test_no_secret_is_written_into_an_object_and_each_process_has_its_own(rendered):
    objects = rendered("most")
    assert "Secret" not in {kind for kind, _ in objects}
    users = {}
    for component, pod in pods(objects).items():
        names = {v["name"]: v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
        assert {v["secret"]["defaultMode"] for v in pod["volumes"] if "secret" in v} == {0o440}
        assert names["kafka"] == f"dateline-{component}"
        users[component] = environment(pod["containers"][0])["DATELINE_KAFKA_USERNAME"]
    assert users == {component: f"dateline-{component}" for component in (*PROCESSES, "setup", "operator")}
    assert set(users) | {"keda"} == set(RIGHTS), "each has rights of its own on Kafka"
    assert pods(objects)["console"]["volumes"] != pods(objects)["indexer"]["volumes"]


def test_with_mutual_tls_each_process_shows_its_certificate_and_sends_no_password(rendered):
    for component, pod in pods(rendered("mutual")).items():
        given = environment(pod["containers"][0])
        assert given["DATELINE_KAFKA_CERTIFICATE_FILE"] == "/run/kafka/user.crt", component
        assert given["DATELINE_KAFKA_KEY_FILE"] == "/run/kafka/user.key", component
        assert not {k for k in given if "PASSWORD" in k or "USERNAME" in k}, component
    page = environment(pods(rendered("mutual"))["console"]["containers"][0])
    assert page["DATELINE_CONSOLE_CERTIFICATE_FILE"] == "/run/console-tls/tls.crt"
    assert "DATELINE_CONSOLE_BEHIND_PROXY" not in page


def test_the_job_creates_topics_rights_and_templates_before_anything_starts(rendered):
    job = rendered("most")["Job", "desk-setup"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    ours = pods(rendered("most"))["setup"]
    assert [c["args"] for c in containers(ours)] == [
        ["topics", "--principal", "User:dateline-{process}"], ["templates"],
    ]  # fmt: skip
    assert {"topics", "templates", *PROCESSES} <= set(typer.main.get_command(cli.app).commands)
    config = next(v["configMap"]["name"] for v in ours["volumes"] if v["name"] == "config")
    assert "helm.sh/hook" in rendered("most")["ConfigMap", config]["metadata"]["annotations"], (
        "it is there before the job"
    )
    assert "--principal" not in containers(pods(rendered("least"))["setup"])[0]["args"]


def test_an_operator_has_a_pod_for_commands_only_where_it_is_asked_for(rendered):
    assert ("Deployment", "desk-operator") not in rendered("least")
    spec = rendered("most")["Deployment", "desk-operator"]["spec"]
    [container] = spec["template"]["spec"]["containers"]
    assert container["command"] == ["sleep", "infinity"]
    assert "args" not in container
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_a_budget_lets_one_pod_of_a_process_go_at_a_time(rendered):
    budgets = {name: item["spec"] for (kind, name), item in rendered("least").items() if kind == "PodDisruptionBudget"}
    assert set(budgets) == {f"desk-{process}" for process in PROCESSES}
    for name, spec in budgets.items():
        assert spec["maxUnavailable"] == 1
        deployment = rendered("least")["Deployment", name]["spec"]
        assert spec["selector"] == deployment["selector"]
        assert deployment["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()


SCALED = {
    "type": "object", "additionalProperties": False, "required": ["scaleTargetRef", "triggers"],
    "properties": {
        "scaleTargetRef": {"type": "object", "required": ["name"]},
        **{name: {"type": "integer"} for name in (
            "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "idleReplicaCount",
        )},
        "fallback": {"type": "object", "required": ["failureThreshold", "replicas"]},
        "advanced": {"type": "object"},
        "triggers": {"type": "array", "items": {
            "type": "object", "additionalProperties": False, "required": ["type", "metadata"],
            "properties": {
                "type": {"const": "kafka"},
                "authenticationRef": {"type": "object", "required": ["name"]},
                "metadata": {
                    "type": "object", "additionalProperties": {"type": "string"},
                    "required": ["bootstrapServers", "consumerGroup", "topic", "lagThreshold"],
                    "properties": {
                        "sasl": {"enum": ["none", "plaintext", "scram_sha256", "scram_sha512"]},
                        "tls": {"enum": ["enable", "disable"]},
                        "offsetResetPolicy": {"enum": ["latest", "earliest"]},
                    },
                },
            },
        }},
    },
}  # fmt: skip
"""A ScaledObject of KEDA with a Kafka trigger, as KEDA's documentation describes it: every value of `metadata` is a string."""


@pytest.mark.parametrize(("name", "sasl"), [("most", "scram_sha512"), ("mutual", None)])
def test_keda_scales_by_the_lag_of_a_group_up_to_the_number_of_partitions(rendered, name, sasl):
    objects = rendered(name)
    groups = {"worker": bus.WORKER_GROUP, "indexer": bus.INDEXER_GROUP}
    for process, group in groups.items():
        spec = objects["ScaledObject", f"desk-{process}"]["spec"]
        jsonschema.validate(spec, SCALED)
        [trigger] = spec["triggers"]
        assert trigger["metadata"]["consumerGroup"] == group
        assert trigger["metadata"]["topic"] in bus.READS[group]
        assert (trigger["metadata"].get("sasl"), trigger["metadata"]["tls"]) == (sasl, "enable")
        assert spec["minReplicaCount"] <= spec["maxReplicaCount"] <= 4
        assert spec["scaleTargetRef"]["name"] == f"desk-{process}"
        assert "replicas" not in objects["Deployment", f"desk-{process}"]["spec"], "an upgrade would undo the scaling"
    assert "replicas" in objects["Deployment", "desk-collector"]["spec"]
    login = objects["TriggerAuthentication", "desk-kafka"]["spec"]
    given = {item["parameter"] for kind in login.values() for item in kind}
    assert given == ({"username", "password", "ca"} if sasl else {"cert", "key", "ca"})
    assert not any(kind == "ScaledObject" for kind, _ in rendered("least"))


def test_the_prometheus_operator_gets_the_rules_of_compose_and_names_each_process_as_they_do(rendered, tmp_path):
    objects = rendered("most")
    rules = objects["PrometheusRule", "desk"]
    assert rules["spec"] == yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump(rules["spec"]), "utf-8")
    run(tool("promtool"), "check", "rules", str(file))

    monitor = objects["PodMonitor", "desk"]
    assert {item["metadata"]["labels"]["release"] for item in (rules, monitor)} == {"prometheus"}
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    watched = {
        template["metadata"]["labels"][monitor["spec"]["jobLabel"]]
        for template in (item["spec"]["template"] for item in objects.values() if item["kind"] == "Deployment")
        if monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        and any(port["name"] == endpoint["port"] for port in template["spec"]["containers"][0].get("ports", ()))
    }
    named = set().union(
        *(re.findall(r"\w+", jobs) for jobs in re.findall(r'job=~?"([\w|]+)"', file.read_text("utf-8")))
    )
    assert watched == named == set(PROCESSES)
    assert not any(kind in ("PodMonitor", "PrometheusRule") for kind, _ in rendered("least"))


def test_a_process_reaches_only_what_it_needs(rendered):
    web = {"collector", "notifier"}
    for process in (*PROCESSES, "setup", "operator"):
        spec = rendered("most")["NetworkPolicy", f"desk-{process}"]["spec"]
        assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
        ports = [{port["port"] for port in rule.get("ports", ())} for rule in spec["egress"]]
        assert set().union(*ports) >= {53, 9093}
        assert any({80, 443} <= rule for rule in ports) == (process in web), process
        assert any(9200 in rule for rule in ports) == (process in ("indexer", "console", "setup", "operator")), process
        open_to = [peer["ipBlock"] for rule in spec["egress"] for peer in rule.get("to", ()) if "ipBlock" in peer]
        assert all("10.0.0.0/8" in block["except"] or "fc00::/7" in block["except"] for block in open_to)
        assert bool(open_to) == (process in web)
        reached = {port["port"] for rule in spec["ingress"] for port in rule["ports"]}
        own = {getattr(Settings().http, f"{process}_port")} if process in PROCESSES else set()
        assert reached == own | ({Settings().console.port} if process == "console" else set()), process
        assert all(rule["from"] for rule in spec["ingress"]), "an empty list would let everybody in"
    policies = [spec for (kind, _), spec in rendered("most").items() if kind == "NetworkPolicy"]
    assert {"podSelector": {"matchLabels": {"app": "mail"}}} in [
        peer for item in policies for rule in item["spec"]["egress"] for peer in rule.get("to", ())
    ]


def test_the_page_is_served_over_tls_alone_and_to_the_host_of_the_ingress(rendered):
    given = environment(pods(rendered("most"))["console"]["containers"][0])
    assert given["DATELINE_CONSOLE_BEHIND_PROXY"] == "true"
    assert given["DATELINE_CONSOLE_ALLOWED_HOSTS"] == "news.example.org"
    assert given["DATELINE_CONSOLE_SESSION_KEY_FILE"] == "/run/console/session_key"
    [tls] = rendered("most")["Ingress", "desk-console"]["spec"]["tls"]
    assert tls == {"hosts": ["news.example.org"], "secretName": "page-tls"}
    assert rendered("mutual")["Service", "desk-console"]["spec"]["ports"][0]["port"] == 443


def test_the_chart_has_the_version_of_the_package_and_the_image_is_pinned_by_digest_where_one_is_given(rendered):
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), flags=re.MULTILINE)[1]
    assert (chart["version"], chart["appVersion"]) == (version, version)
    images = {name: {c["image"] for p in pods(rendered(name)).values() for c in containers(p)} for name in ALL}
    assert images["least"] == {f"dateline:{version}"}
    assert images["most"] == {f"registry.example/dateline@sha256:{'0' * 64}"}
