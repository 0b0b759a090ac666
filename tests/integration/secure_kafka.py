"""A real Kafka with TLS, SASL, mutual TLS and access control lists, for tests, and the users who log in to it."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import trustme
from cryptography.hazmat.primitives import serialization
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from pipeline import bus
from pipeline.bus.topics import connection
from pipeline.local import ports, servers
from pipeline.local.stack import Stack
from pipeline.settings import Kafka, Settings
from tests.stack_fixture import make_local

USERS = ("collector", "worker", "indexer", "notifier", "console", "setup", "keda", "operator")


def password(name: str) -> str:
    return f"{name}-s3cret"


def pem(directory: Path, name: str, certificate) -> Path:
    """Certificate and key in one file. Java reads keys in PKCS 8 alone."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    file = directory / f"{name}.pem"
    file.write_bytes(text)
    return file


@dataclass(frozen=True)
class SecureKafka:
    """Its settings as a superuser on this machine, and those of each user by SASL and by certificate."""

    settings: Settings
    directory: Path
    authority: trustme.CA
    sasl_port: int
    tls_port: int

    def by_password(self, name: str, *, mechanism: str = "SCRAM-SHA-512", **changes: str) -> Settings:
        wanted = {
            "bootstrap_servers": f"127.0.0.1:{self.sasl_port}", "security_protocol": "SASL_SSL",
            "sasl_mechanism": mechanism, "username": f"dateline-{name}", "password": password(name),
            "ca_file": str(self.directory / "ca.pem"),
        }  # fmt: skip
        return self._settings(wanted | changes)

    def by_certificate(self, name: str, **changes: str) -> Settings:
        file = self.directory / f"{name}.pem"
        if not file.exists():
            pem(self.directory, name, self.authority.issue_cert(f"{name}.test", common_name=f"dateline-{name}"))
        wanted = {
            "bootstrap_servers": f"127.0.0.1:{self.tls_port}", "security_protocol": "SSL",
            "ca_file": str(self.directory / "ca.pem"), "certificate_file": str(file), "key_file": str(file),
        }  # fmt: skip
        return self._settings(wanted | changes)

    def _settings(self, kafka: dict[str, str]) -> Settings:
        return msgspec.structs.replace(self.settings, kafka=Kafka(partitions=self.settings.kafka.partitions, **kafka))


def properties(directory: Path, local, sasl_port: int, tls_port: int) -> str:
    """What a broker needs for it. A later line of a properties file wins over an earlier one."""
    listeners = f"PLAINTEXT://127.0.0.1:{local.kafka_port},SASL://127.0.0.1:{sasl_port},TLS://127.0.0.1:{tls_port}"
    return f"""
listeners={listeners},CONTROLLER://127.0.0.1:{local.kafka_controller_port}
advertised.listeners={listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,TLS:SSL
ssl.keystore.type=PEM
ssl.keystore.location={directory}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={directory}/ca.pem
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.tls.ssl.client.auth=required
listener.name.tls.ssl.principal.mapping.rules=RULE:^(?:.*,)?CN=([^,]+).*$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


@contextlib.contextmanager
def started(directory: Path, *, wanted=(servers.KAFKA,)):
    """The servers, with users that have passwords, and rights as `dateline topics --principal` gives them."""
    directory.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    pem(directory, "server", authority.issue_cert("127.0.0.1"))
    sasl_port, tls_port = ports.free(2)
    settings = Settings(local=make_local(directory / "stack"), kafka=Kafka(partitions=2), directory=str(directory))

    def prepare(launch):
        if launch.server == servers.KAFKA:
            with (Path(launch.home) / "server.properties").open("a", encoding="utf-8") as file:
                file.write(properties(directory, settings.local, sasl_port, tls_port))
        return launch

    with Stack(settings, wanted=wanted, prepare=prepare):
        admin = KafkaAdminClient(**connection(settings))
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            new = [UserScramCredentialUpsertion(f"dateline-{name}", mechanism, password(name)) for name in USERS]
            assert set(admin.alter_user_scram_credentials(new).values()) == {None}
        admin.close()
        bus.grant(settings, "User:dateline-{process}")
        yield SecureKafka(settings, directory, authority, sasl_port, tls_port)
