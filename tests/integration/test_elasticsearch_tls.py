"""Elasticsearch behind TLS: what the client sends as its key, whom it trusts. The local server has no TLS, so a proxy adds it."""

import contextlib
import re
import select
import socket
import ssl
import threading

import msgspec
import pytest
import trustme

from pipeline.index import client, errors

pytestmark = pytest.mark.integration

KEY = "an-encoded-api-key=="


class TlsProxy:
    """Ends TLS on a free port of 127.0.0.1 and passes everything on to `target`. It remembers what clients sent."""

    def __init__(self, authority, target):
        self.sent = b""
        self._target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                plain, _ = self._server.accept()
                threading.Thread(target=self._pass, args=(plain,), daemon=True).start()

    def _pass(self, plain):
        with (
            contextlib.suppress(OSError),
            plain,
            socket.create_connection(("127.0.0.1", self._target)) as server,
            self._context.wrap_socket(plain, server_side=True) as client_side,
        ):
            other = {client_side: server, server: client_side}
            while True:
                waiting = [client_side] if client_side.pending() else select.select(list(other), [], [], 10)[0]
                for source in waiting:
                    if not (data := source.recv(65536)):
                        return
                    self.sent += data if source is client_side else b""
                    other[source].sendall(data)

    def close(self):
        self._server.close()


@pytest.fixture(scope="module")
def proxy(stack):
    authority = trustme.CA()
    found = TlsProxy(authority, stack.local.elasticsearch_port)
    found.authority = authority
    yield found
    found.close()


@pytest.fixture
def secured(stack, proxy, tmp_path):
    """Settings that reach the server over TLS with an API key."""
    proxy.authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    wanted = msgspec.structs.replace(
        stack.elasticsearch,
        url=f"https://127.0.0.1:{proxy.port}", api_key=KEY, ca_file=str(tmp_path / "ca.pem"), index_prefix="tls",
    )  # fmt: skip
    return msgspec.structs.replace(stack, elasticsearch=wanted)


def test_the_templates_are_created_over_tls_with_the_api_key_alone(secured, proxy):
    assert re.fullmatch(r"\d+\.\d+\.\d+", client.prepare(secured))
    assert set(re.findall(rb"(?im)^authorization: (.+?)\r$", proxy.sent)) == {b"ApiKey " + KEY.encode()}
    with client.opened(secured) as es:
        assert es.indices.exists_index_template(name="tls-events")


def test_a_server_with_a_certificate_of_another_authority_gets_no_key(secured, proxy, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "stranger.pem")
    other = msgspec.structs.replace(secured.elasticsearch, ca_file=str(tmp_path / "stranger.pem"))
    before = proxy.sent
    with pytest.raises(errors.UnavailableError, match=r"(?i)certificate") as caught:
        client.prepare(msgspec.structs.replace(secured, elasticsearch=other))
    assert KEY not in str(caught.value)
    assert proxy.sent == before, "nothing was sent before the certificate was checked"
