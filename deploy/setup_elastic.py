# ruff: noqa: INP001 - a script that the image carries, not a part of the package
"""Users of Elasticsearch and dashboards of Kibana, for the two jobs of docker-compose.yml. May run again without harm.

    setup_elastic.py users              Kibana's password, the users `dateline` (indexer) and `console` with a role each for the
                                        indices of Dateline alone, and the user `reader`, whose role the next step makes
    setup_elastic.py api-keys DIR       a key for the indexer and one for the console, as files of DIR
    setup_elastic.py dashboards DIR     the space of DIR/space.json, the role of DIR/role.json, and every *.ndjson of DIR into
                                        that space, over what is there

ELASTICSEARCH_URL and KIBANA_URL say where, SECRETS_DIR (/run/secrets) holds the passwords.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from pipeline import settings

TRIES = 10
READER_ROLE = "dateline-reader"
"""The role of those who read in Kibana: deploy/kibana/role.json."""


class SetupError(Exception):
    """The server said no; the message says to what, and why."""


def secret(name: str) -> str:
    """The name of a secret in, its text out."""
    return (Path(os.environ.get("SECRETS_DIR", "/run/secrets")) / name).read_text("utf-8").strip()


def call(method: str, url: str, body: bytes | None, headers: dict[str, str], *, pause_seconds: float = 3.0) -> Any:
    """A request as the superuser in, the JSON that comes back out. A server that is not ready yet is asked again.

    Raises:
        SetupError: it said no, or was not there after all tries.
    """
    login = base64.b64encode(f"elastic:{secret('elastic_password')}".encode()).decode()
    request = urllib.request.Request(url, body, {"Authorization": f"Basic {login}", **headers}, method=method)  # noqa: S310 - the operator's own address
    why = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause_seconds)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - the same
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            why = f"{error.code} {error.read(500).decode('utf-8', 'replace')}"
            if error.code < 500:
                break
        except OSError as error:
            why = str(error)
    raise SetupError(f"{method} {url}: {why}")


SNAPSHOTS = ["cluster:admin/repository/*", "cluster:admin/snapshot/*"]
"""What snapshots need, as actions: the privilege that has them all, `manage`, may change everything else of the cluster."""


def roles(prefix: str) -> dict[str, dict[str, Any]]:
    """What the indices start with in, what each process that logs in may do out. The console changes nothing."""
    own = [f"{prefix}-*"]
    return {
        "indexer": {
            "cluster": ["monitor", "manage_index_templates", *SNAPSHOTS],
            "indices": [{"names": own, "privileges": ["manage", "write", "read", "view_index_metadata"]}],
        },
        "console": {
            "cluster": ["monitor"],
            # `monitor`: the sizes of the indices, which `dateline status` shows
            "indices": [{"names": own, "privileges": ["read", "view_index_metadata", "monitor"]}],
        },
    }


def users(url: str, prefix: str) -> None:
    """Elasticsearch's address and what the indices start with in; afterwards Kibana, indexer, console and a reader log in."""
    allowed = roles(prefix)
    for path, body in (
        ("user/kibana_system/_password", {"password": secret("kibana_password")}),
        ("role/dateline", allowed["indexer"]),
        ("role/dateline-console", allowed["console"]),
        ("user/dateline", {"password": secret("dateline_password"), "roles": ["dateline"]}),
        ("user/console", {"password": secret("console_elastic_password"), "roles": ["dateline-console"]}),
        ("user/reader", {"password": secret("reader_password"), "roles": [READER_ROLE]}),
    ):
        call("PUT", f"{url}/_security/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        sys.stdout.write(f"set {path}\n")


def api_keys(url: str, prefix: str, directory: Path) -> None:
    """Elasticsearch's address and a directory in; afterwards it has a key for each process. A file that is there stays."""
    for name, allowed in roles(prefix).items():
        file = directory / name
        if file.exists():
            sys.stdout.write(f"{file} is there\n")
            continue
        body = json.dumps({"name": f"dateline-{name}", "role_descriptors": {f"dateline-{name}": allowed}}).encode()
        made = call("POST", f"{url}/_security/api_key", body, {"Content-Type": "application/json"})
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(f"{made['encoded']}\n")
        sys.stdout.write(f"made {file}\n")


def space(url: str, directory: Path) -> str:
    """Kibana's address and a directory in; afterwards its space and the role of its readers are there. The space's id out."""
    headers = {"kbn-xsrf": "true", "Content-Type": "application/json"}
    body = (directory / "space.json").read_bytes()
    name = str(json.loads(body)["id"])
    known = {one["id"] for one in call("GET", f"{url}/api/spaces/space", None, headers)}
    method, path = ("PUT", f"/{name}") if name in known else ("POST", "")
    call(method, f"{url}/api/spaces/space{path}", body, headers)
    call("PUT", f"{url}/api/security/role/{READER_ROLE}", (directory / "role.json").read_bytes(), headers)
    sys.stdout.write(f"set the space {name} and the role {READER_ROLE}\n")
    return name


def dashboards(url: str, directory: Path) -> None:
    """Kibana's address and a directory in; afterwards its space, its role and its saved objects are in Kibana.

    Raises:
        SetupError: Kibana took a file in part only; the message names the objects.
    """
    root = f"{url}/s/{space(url, directory)}" if (directory / "space.json").exists() else url
    for file in sorted(directory.glob("*.ndjson")):
        mark = secrets.token_hex(16)
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        headers = {"kbn-xsrf": "true", "Content-Type": f"multipart/form-data; boundary={mark}"}
        said = call("POST", f"{root}/api/saved_objects/_import?overwrite=true", body, headers)
        if not said.get("success"):
            raise SetupError(f"{file.name}: {json.dumps(said.get('errors', said))[:2000]}")
        sys.stdout.write(f"imported {file.name}: {said.get('successCount')} objects\n")


def main(arguments: list[str]) -> int:
    """The command line in, the exit status out."""
    try:
        match arguments:
            case ["users"]:
                prefix = settings.load().elasticsearch.index_prefix
                users(os.environ.get("ELASTICSEARCH_URL", "http://127.0.0.1:9200"), prefix)
            case ["api-keys", directory]:
                prefix = settings.load().elasticsearch.index_prefix
                api_keys(os.environ.get("ELASTICSEARCH_URL", "http://127.0.0.1:9200"), prefix, Path(directory))
            case ["dashboards", directory]:
                dashboards(os.environ.get("KIBANA_URL", "http://127.0.0.1:5601"), Path(directory))
            case _:
                sys.stderr.write(f"{__doc__}\n")
                return 2
    except (SetupError, settings.SettingsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
