"""Reading a northbound database: from a running server, or from a file.

All tables are selected in one OVSDB transaction, so that the copy is of one moment,
whatever else goes on. Nothing is written: a file is copied and served to ourselves by
an ``ovsdb-server`` of our own, which can read every format that files have had.
"""

import os
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import ovs.jsonrpc
import ovs.stream

from cli.import_ovn.snapshot import Row, Snapshot
from cli.testbed.errors import TestbedError
from cli.testbed.process import spawn
from cli.testbed.wait import until

_DATABASE = "OVN_Northbound"
_CLUSTERED = b"OVSDB CLUSTER"
_LONGEST_SOCKET_PATH = 107
"""Bytes: unix(7)."""
_ACTIVE = ("unix:", "tcp:", "ssl:")


class DatabaseError(Exception):
    """The northbound database cannot be read."""


class Credentials(NamedTuple):
    """Who we are to a server that asks by TLS, and whom we trust: files in PEM format."""

    private_key: Path
    certificate: Path
    ca_certificate: Path


def read_snapshot(source: str, credentials: Credentials | None = None) -> Snapshot:
    """The database behind an OVSDB remote (``unix:PATH``, ``tcp:HOST:PORT``), or in a file.

    ``ssl:HOST:PORT`` needs `credentials`.
    """
    if source.startswith(_ACTIVE):
        return _read(source, credentials)
    with _served(Path(source)) as remote:
        return _read(remote, None)


def _read(remote: str, credentials: Credentials | None) -> Snapshot:
    connection = _connect(remote, credentials)
    try:
        tables = list(_ask(connection, "get_schema", [_DATABASE])["tables"])
        selects = [{"op": "select", "table": table, "where": []} for table in tables]
        results = _ask(connection, "transact", [_DATABASE, *selects])
    finally:
        connection.close()
    return Snapshot(
        Row(table, row["_uuid"][1], _without_metadata(row))
        for table, result in zip(tables, results, strict=True)
        for row in result["rows"]
    )


def _connect(remote: str, credentials: Credentials | None) -> Any:
    if credentials is not None:
        _use(credentials)
    elif remote.startswith("ssl:"):
        raise DatabaseError(f"{remote} needs a private key, a certificate and a CA's certificate")
    path = remote.removeprefix("unix:")
    if path != remote and len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise DatabaseError(f"{remote} is longer than the path of a socket can be")
    try:
        error, stream = ovs.stream.Stream.open_block(ovs.stream.Stream.open(remote))
    except OSError as fault:
        raise DatabaseError(f"no connection to {remote}: {fault}") from None
    if error:
        raise DatabaseError(f"no answer from {remote}: {ovs.util.ovs_retval_to_string(error)}")
    return ovs.jsonrpc.Connection(stream)


def _use(credentials: Credentials) -> None:
    """Let the connections of python-ovs be made with `credentials`.

    They are read here first: python-ovs opens a socket before it reads them, which it
    leaves open where it can't, and its error doesn't name the file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(credentials.ca_certificate)
    except OSError as error:
        raise DatabaseError(f"{credentials.ca_certificate}: {_reason(error)}") from None
    try:
        context.load_cert_chain(credentials.certificate, credentials.private_key)
    except OSError as error:
        files = f"{credentials.certificate} with {credentials.private_key}"
        raise DatabaseError(f"{files}: {_reason(error)}") from None
    ovs.stream.Stream.ssl_set_private_key_file(str(credentials.private_key))
    ovs.stream.Stream.ssl_set_certificate_file(str(credentials.certificate))
    ovs.stream.Stream.ssl_set_ca_cert_file(str(credentials.ca_certificate))


def _reason(error: OSError) -> str:
    """Why a file with a key or a certificate can't be used."""
    return error.strerror or str(error)


def _without_metadata(row: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in row.items() if not column.startswith("_")}


def _ask(connection: Any, method: str, parameters: list[Any]) -> Any:
    request = ovs.jsonrpc.Message.create_request(method, parameters)
    error, reply = connection.transact_block(request)
    if error:
        raise DatabaseError(f"{method}: {ovs.util.ovs_retval_to_string(error)}")
    if reply.error is not None:
        raise DatabaseError(f"{method}: {_told(reply.error)}")
    failed = [each for each in reply.result if isinstance(each, dict) and "error" in each]
    if failed:
        raise DatabaseError(f"{method}: {_told(failed[0])}")
    return reply.result


def _told(error: Any) -> str:
    """An error of OVSDB in words."""
    return f"{error.get('error')}: {error.get('details', '')}" if isinstance(error, dict) else error


@contextmanager
def _served(file: Path) -> Iterator[str]:
    """The remote of a private server that has a copy of `file`."""
    with tempfile.TemporaryDirectory(prefix="treadle-import-ovn-") as name:
        directory = Path(name)
        copy, remote, log = directory / "nb.db", directory / "nb.sock", directory / "log"
        try:
            _copy(file, copy)
            command = ["ovsdb-server", str(copy), f"--remote=punix:{remote}", "--unixctl=none"]
            server = spawn("ovsdb-server", command, log)
        except OSError as error:
            raise DatabaseError(f"{file}: {error.strerror or error}") from None
        except TestbedError as error:
            raise DatabaseError(f"{file}: {error}") from None
        try:
            until(lambda: server.check() or _listens(remote), "ovsdb-server")
            yield f"unix:{remote}"
        except TestbedError as error:
            raise DatabaseError(f"{file}: {error}") from None
        finally:
            server.stop()


def _listens(path: Path) -> bool:
    """Whether connections are taken: the socket's file is there a moment sooner."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _copy(file: Path, copy: Path) -> None:
    """A standalone copy of `file`, which may be one server's part of a cluster."""
    with file.open("rb") as opened:
        clustered = opened.read(len(_CLUSTERED)) == _CLUSTERED
    if not clustered:
        copy.write_bytes(file.read_bytes())
        return
    command = ["ovsdb-tool", "cluster-to-standalone", str(copy), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise DatabaseError(f"{file}: {done.stderr.strip()}")
