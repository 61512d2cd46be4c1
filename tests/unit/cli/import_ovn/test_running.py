"""A real northbound database, filled by ovn-nbctl, into a running Treadle server."""

import gc
import json
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from benchmarks.ovn import Ovn
from cli.main import app
from cli.testbed.process import spawn
from cli.testbed.server import Server
from cli.testbed.tcp_ports import free_ports
from cli.testbed.wait import until
from tests.unit.cli.test_server_tls import make_certificate

pytestmark = pytest.mark.processes


MATCH = "outport==@servers&&ip4.src=={$offices,$servers_ip4}&&tcp.dst==80"
NETWORK = [
    "ls-add web",
    "set logical_switch web other_config:subnet=10.0.1.0/24 external_ids:tenant=shop",
    "lsp-add web web-1",
    "lsp-set-addresses web-1 dynamic",
    "lsp-add web web-2",
    "lsp-set-addresses web-2 0a:00:00:00:01:02\\ 10.0.1.12 unknown",
    "lsp-set-port-security web-2 0a:00:00:00:01:02\\ 10.0.1.12",
    "lsp-set-enabled web-2 disabled",
    "lr-add edge",
    "lrp-add edge edge-web 0a:00:00:00:01:ff 10.0.1.254/24 fd00:1::ff/64",
    "lsp-add web web-edge",
    "lsp-set-type web-edge router",
    "lsp-set-addresses web-edge router",
    "lsp-set-options web-edge router-port=edge-web",
    "lr-route-add edge 0.0.0.0/0 10.0.1.12",
    "--policy=src-ip lr-route-add edge 10.9.0.0/16 discard",
    "pg-add servers web-1 web-2",
    "create address_set name=offices addresses=192.0.2.0/24,198.51.100.7",
    f"--name=http --log acl-add servers to-lport 1001 {MATCH} allow-related",
    "acl-add web from-lport 0 udp.dst==53 drop",
]


@pytest.fixture
def ovn(tmp_path: Path) -> Iterator[Ovn]:
    ovn = Ovn(tmp_path)
    try:
        ovn.start_databases()
        ovn.start_northd()
        ovn.load(shlex.split(command) for command in NETWORK)
        ovn.nbctl(["--wait=sb", "sync"])
        yield ovn
    finally:
        ovn.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    directory = tmp_path / "treadle"
    directory.mkdir()
    server = Server(directory, *free_ports(2))
    process = server.start()
    try:
        server.wait_until_ready(process)
        yield server
    finally:
        process.stop()


def import_ovn(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import-ovn", *arguments])


def as_document(*arguments: str) -> str:
    result = import_ovn("--output", "-", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_network_is_imported_and_followed(ovn: Ovn, server: Server) -> None:
    options = ("--nb", ovn.northbound, "--url", server.url)
    tried = import_ovn(*options, "--dry-run")
    assert "nothing was written" in tried.stdout, tried.output
    first = import_ovn(*options)
    assert first.exit_code == 0, first.output
    assert "ovn: revision 1" in first.stdout
    again = import_ovn(*options)
    assert "nothing to do" in again.stdout, again.output
    with server.client() as client:
        address = client.get("/v1/logical-switch-ports/web-1").json()["addresses"]
        assert address == [_dynamic_address(ovn)]
        (revision,) = client.get("/v1/revisions").json()["items"]
        assert revision["comment"] == f"imported from {ovn.northbound}"

    ovn.load([["lsp-del", "web-2"], ["lsp-add", "web", "web-3"]])
    followed = import_ovn(*options)
    assert "+ logical switch port web-3" in followed.stdout, followed.output
    assert "- logical switch port web-2" in followed.stdout


def test_a_chassis_that_has_not_registered_yet_is_told(ovn: Ovn, server: Server) -> None:
    ovn.nbctl(["lsp-set-options", "web-1", "requested-chassis=node-1.example"])
    done = import_ovn("--nb", ovn.northbound, "--url", server.url)
    assert done.exit_code == 0, done.output
    told = "logical switch port web-1, options:requested-chassis: no chassis has registered as"
    assert f"note: {told} node-1.example yet" in done.stderr


def test_nothing_is_imported_if_something_would_be_lost(ovn: Ovn, server: Server) -> None:
    ovn.nbctl(["qos-add", "web", "to-lport", "100", "ip4", "rate=1000"])
    options = ("--nb", ovn.northbound, "--url", server.url)
    refused = import_ovn(*options)
    assert refused.exit_code == 1
    assert "lost: logical switch web, qos_rules: there is no QoS" in refused.stderr
    with server.client() as client:
        assert client.get("/v1/logical-switches").json()["items"] == []
        assert import_ovn(*options, "--skip-unsupported").exit_code == 0
        assert len(client.get("/v1/logical-switches").json()["items"]) == 1


def test_what_is_found_is_told_to_programs(ovn: Ovn, server: Server) -> None:
    options = ("--nb", ovn.northbound, "--url", server.url, "--json")
    imported = json.loads(import_ovn(*options).stdout)
    assert imported["result"]["revision"] == 1
    ovn.nbctl(["qos-add", "web", "to-lport", "100", "ip4", "rate=1000"])
    refused = import_ovn(*options)
    assert refused.exit_code == 1
    told = json.loads(refused.stdout)
    (lost,) = (found for found in told["findings"] if found["changes_verdicts"])
    assert (lost["object"], lost["column"]) == ("logical switch web", "qos_rules")
    assert told["result"] is None
    assert import_ovn(*options, "--output", "-").exit_code == 2


def test_the_document_says_what_ovn_says(ovn: Ovn) -> None:
    found = yaml.safe_load(as_document("--nb", ovn.northbound, "--document", "shop"))
    assert found == yaml.safe_load(
        f"""
        document: shop
        dhcp_options: {{}}
        dns_record_sets: {{}}
        logical_switches:
          web:
            external_ids: {{tenant: shop}}
            subnet4: 10.0.1.0/24
            ports:
              web-1: {{addresses: ["{_dynamic_address(ovn)}"]}}
              web-2:
                addresses: ["0a:00:00:00:01:02 10.0.1.12", unknown]
                port_security: ["0a:00:00:00:01:02 10.0.1.12"]
                enabled: false
              web-edge: {{type: router, router_port: edge-web, addresses: [router]}}
            acls:
              - {{direction: from-lport, priority: 0, match: udp.dst==53, action: drop}}
        logical_routers:
          edge:
            ports:
              edge-web:
                mac: "0a:00:00:00:01:ff"
                networks: [10.0.1.254/24, "fd00:1::ff/64"]
            static_routes:
              - {{ip_prefix: 0.0.0.0/0, nexthop: 10.0.1.12}}
              - {{ip_prefix: 10.9.0.0/16, nexthop: discard, policy: src-ip}}
        meters: {{}}
        port_groups:
          servers:
            ports: [web-1, web-2]
            acls:
              - name: http
                direction: to-lport
                priority: 1001
                match: {MATCH}
                action: allow-related
                log: true
        address_sets:
          offices: {{addresses: [192.0.2.0/24, 198.51.100.7]}}
        """
    )


def test_a_file_reads_as_its_server_does(ovn: Ovn, tmp_path: Path) -> None:
    assert ovn.northd is not None
    ovn.northd.stop()  # so that nobody writes meanwhile
    expected = as_document("--nb", ovn.northbound)
    file = ovn.directory / "nb.db"
    before = file.read_bytes()
    assert as_document("--nb", str(file)) == expected
    assert file.read_bytes() == before

    clustered = tmp_path / "clustered.db"
    create = ["ovsdb-tool", "create-cluster", str(clustered), str(file), "unix:/nonexistent/raft"]
    subprocess.run(create, check=True)
    shutil.copy(clustered, tmp_path / "copy.db")
    assert as_document("--nb", str(tmp_path / "copy.db")) == expected


def test_a_server_that_asks_who_is_there(ovn: Ovn, tmp_path: Path) -> None:
    expected = as_document("--nb", ovn.northbound)
    certificate, key = make_certificate(tmp_path)
    files = ["--private-key", str(key), "--certificate", str(certificate)]
    trusting = [*files, "--ca-cert", str(certificate)]
    (port,) = free_ports(1)
    database = shutil.copy(ovn.directory / "nb.db", tmp_path / "tls.db")
    command = ["ovsdb-server", str(database), f"--remote=pssl:{port}:127.0.0.1", "--unixctl=none"]
    server = spawn("ovsdb-server with TLS", [*command, *trusting], tmp_path / "tls.log")
    remote = f"ssl:127.0.0.1:{port}"
    try:
        until(lambda: server.check() or _answers(port), "ovsdb-server with TLS")
        assert as_document("--nb", remote, *trusting) == expected
        assert import_ovn("--nb", remote, *files).exit_code == 2
        assert "needs a private key" in import_ovn("--nb", remote).stderr
    finally:
        server.stop()


def test_a_database_that_cannot_be_read(tmp_path: Path) -> None:
    torn = tmp_path / "torn.db"
    torn.write_text("OVSDB JSON 7 nonsense\n")
    for source in (f"unix:{tmp_path}/gone.sock", str(tmp_path / "gone.db"), str(torn)):
        result = import_ovn("--nb", source, "--output", "-")
        assert result.exit_code == 3, result.output
        assert str(tmp_path) in result.stderr
        assert result.stdout == ""


@pytest.mark.parametrize("missing", ["--private-key", "--certificate", "--ca-cert"])
def test_keys_that_cannot_be_read(tmp_path: Path, missing: str) -> None:
    certificate, key = make_certificate(tmp_path)
    files = {"--private-key": key, "--certificate": certificate, "--ca-cert": certificate}
    files[missing] = tmp_path / "gone.pem"
    arguments = [argument for option, file in files.items() for argument in (option, str(file))]
    result = import_ovn("--nb", "ssl:127.0.0.1:1", *arguments)
    assert result.exit_code == 3, result.output
    assert "gone.pem" in result.stderr
    assert "No such file or directory" in result.stderr
    # A socket that is left open is told of when it is collected, as an error.
    del result
    gc.collect()


def _dynamic_address(ovn: Ovn) -> str:
    found = ovn.nbctl(["get", "logical_switch_port", "web-1", "dynamic_addresses"])
    return found.strip().strip('"')


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
