"""The commands that the documentation prints work as printed, one after the other."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.wait import until
from tests.documentation.commands import unmarked
from tests.documentation.sandbox import ROOT, Sandbox, sandboxed

pytestmark = pytest.mark.system


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandboxed(tmp_path) as sandbox:
        yield sandbox


def test_all_commands_are_marked_as_such() -> None:
    pages = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")]
    assert [f"{block.page}:{block.line}" for page in pages for block in unmarked(page)] == []


def test_the_first_steps(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.serve()
    settings = {"TREADLE_VENV": str(_environment_of_run(tmp_path))}
    assert sandbox.troubles("README.md", settings) == []


def test_labs_and_the_rest_interface_and_agents(sandbox: Sandbox) -> None:
    assert sandbox.troubles("docs/testbed.md") == []
    sandbox.call("treadle", "testbed", "up", "--file", "examples/demo/lab.yaml")
    assert sandbox.troubles("docs/trace.md") == []
    assert sandbox.troubles("docs/explain.md") == []
    assert sandbox.troubles("docs/acl-counters.md") == []
    assert sandbox.troubles("docs/rest.md") == []
    hypervisor = "/run/treadle-testbed/lab/hv1"
    on_hypervisor = {
        "TREADLE_AGENT__STATE_DIRECTORY": f"{hypervisor}/agent",
        "OVS_RUNDIR": f"{hypervisor}/ovs",
    }
    assert sandbox.troubles("docs/control-plane.md", on_hypervisor) == []
    assert sandbox.troubles("docs/agent.md", on_hypervisor) == []
    status = json.loads(sandbox.call("treadle", "testbed", "status", "--json"))
    assert all(process["running"] for process in status["processes"].values())


@pytest.mark.parametrize(
    "page",
    [
        "docs/acls.md",
        "docs/bfd.md",
        "docs/bindings.md",
        "docs/dhcp.md",
        "docs/dns.md",
        "docs/external-ports.md",
        "docs/gateways.md",
        "docs/live-migration.md",
        "docs/load-balancers.md",
        "docs/nat.md",
        "docs/neighbours.md",
        "docs/nested-ports.md",
        "docs/path-mtu.md",
        "docs/policies.md",
        "docs/port-security.md",
        "docs/provider-networks.md",
        "docs/router-advertisements.md",
        "docs/routes.md",
        "docs/switching.md",
        "docs/virtual-ports.md",
    ],
)
def test_pages_that_need_a_server_only(sandbox: Sandbox, page: str) -> None:
    sandbox.serve()
    assert sandbox.troubles(page) == []


def test_the_server(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.serve()
    # The page has an authority sign, which is there already.
    keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(tmp_path / "ca.key"), "-out", str(tmp_path / "ca.pem")]
    sandbox.call("openssl", "req", "-x509", *keys, *files, "-subj", "/CN=authority")
    assert sandbox.troubles("docs/server.md", cwd=tmp_path) == []
    backup = "sqlite3 treadle.db '.backup copy.db'"
    assert f"`{backup}`" in (ROOT / "docs/server.md").read_text()
    sandbox.call("sh", "-c", f"cd {tmp_path} && {backup}")
    assert sandbox.call("treadle", "token", "list", "--database", str(tmp_path / "copy.db"))


def test_the_neutron_api(sandbox: Sandbox) -> None:
    sandbox.serve(TREADLE_SERVER__NEUTRON__ENABLED="true")
    assert sandbox.troubles("docs/neutron.md") == []


def test_policies_of_a_cluster(sandbox: Sandbox) -> None:
    """Where the page has `kubectl proxy` before a cluster, there is the fake of its API."""
    sandbox.serve()
    sandbox.start(sys.executable, "-m", "tests.compat.fake_kubernetes", "8001")
    api = "http://127.0.0.1:8001"
    until(lambda: _succeeds(sandbox, "curl", "-sf", f"{api}/version"), "the cluster's API", 30)
    controller = (sys.executable, "-m", "integrations.kubernetes.main")
    sandbox.start(*controller, "--kubernetes-server", api)
    assert sandbox.troubles("docs/kubernetes.md") == []


def test_containers_by_cni(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.serve()
    _become_hypervisor(sandbox, tmp_path)
    # Where runtimes look for plugins and networks is here the page's alone.
    for directory in ("/opt/cni", "/etc/cni"):
        Path(directory).mkdir(parents=True, exist_ok=True)
        sandbox.call("mount", "-t", "tmpfs", "tmpfs", directory)
    assert sandbox.troubles("docs/cni.md") == []
    assert sandbox.call("ovs-vsctl", "find", "Interface", "external_ids:treadle-owner=cni") == ""


def _become_hypervisor(sandbox: Sandbox, directory: Path) -> None:
    """Start Open vSwitch, with its userspace datapath, and an agent in the sandbox."""
    sandbox.call("mkdir", "/run/openvswitch")
    database, remote = str(directory / "conf.db"), "unix:/run/openvswitch/db.sock"
    sandbox.call("ovsdb-tool", "create", database, "/usr/share/openvswitch/vswitch.ovsschema")
    sandbox.start("ovsdb-server", database, f"--remote=p{remote}", "--unixctl=none")
    init = ("ovs-vsctl", "--timeout=1", "--no-wait", "init")
    until(lambda: _succeeds(sandbox, *init), "the database of Open vSwitch", 30)
    ids = ("system-id=hv1", "treadle-encap-type=geneve", "treadle-encap-ip=127.0.0.1")
    settings = (*ids, "treadle-remote=ws://127.0.0.1:6650", "treadle-bridge-datapath-type=netdev")
    external_ids = [f"external_ids:{setting}" for setting in settings]
    sandbox.call("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", *external_ids)
    control = "--unixctl=/run/openvswitch/ovs-vswitchd.ctl"
    sandbox.start(
        "ovs-vswitchd", remote, "--disable-system", "--no-chdir", "-vconsole:off", control
    )
    sandbox.start("treadle", "agent", "run")
    bridge = ("ovs-vsctl", "--timeout=1", "br-exists", "br-int")
    until(lambda: _succeeds(sandbox, *bridge), "the agent's bridge", 30)


def test_a_migration(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.serve()
    database = str(tmp_path / "nb.db")
    sandbox.call("ovsdb-tool", "create", database, "/usr/share/ovn/ovn-nb.ovsschema")
    remote = "--remote=punix:/run/ovn/ovnnb_db.sock"
    sandbox.call("mkdir", "/run/ovn")
    sandbox.start("ovsdb-server", database, remote, "--unixctl=none")
    nbctl = ("ovn-nbctl", "--timeout=1", "init")
    until(lambda: _succeeds(sandbox, *nbctl), "the northbound database", 30)
    sandbox.call("ovn-nbctl", "ls-add", "from-ovn")
    assert sandbox.troubles("docs/migrating-from-ovn.md") == []
    assert "from-ovn" in sandbox.call("treadle", "show", "logical-switches")


def _succeeds(sandbox: Sandbox, *argv: str) -> bool:
    try:
        sandbox.call(*argv)
    except AssertionError:
        return False
    return True


def _environment_of_run(directory: Path) -> Path:
    """An environment that the script ``run`` takes for up to date, with this one's command."""
    venv = directory / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "treadle").symlink_to(Path(sys.executable).parent / "treadle")
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    (venv / ".stamp").write_text(f". {hashlib.sha256(b''.join(parts)).hexdigest()}  -")
    return venv
