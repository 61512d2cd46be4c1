"""``treadle import-ovn``: make the network what a running OVN's northbound database says."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.apply import print_result
from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.output import AsJson, ExitCode, fail, print_json

if TYPE_CHECKING:
    from cli.import_ovn.findings import Report
    from cli.import_ovn.translation import Imported


def import_ovn(
    nb: Annotated[
        str,
        typer.Option(
            "--nb",
            help="OVN's northbound database: unix:PATH, tcp:HOST:PORT, ssl:HOST:PORT, or its file.",
        ),
    ],
    document: Annotated[
        str, typer.Option(help="The document that is to own what is imported.")
    ] = "ovn",
    output: Annotated[
        Path | None,
        typer.Option(help="Write the document here, - is standard output, and apply nothing."),
    ] = None,
    skip_unsupported: Annotated[
        bool,
        typer.Option("--skip-unsupported", help="Import the rest, though packets fare otherwise."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over objects that nobody owns.")
    ] = False,
    wait: Annotated[
        Literal["translated", "chassis"] | None,
        typer.Option(help="Come back only once the change has reached that far."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 30.0,
    comment: Annotated[str, typer.Option(help="Why: kept with the revision.")] = "",
    private_key: Annotated[Path | None, typer.Option(help="For ssl: our private key.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="For ssl: our certificate.")] = None,
    ca_cert: Annotated[Path | None, typer.Option(help="For ssl: the CA to trust.")] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Make the network what an OVN's northbound database says, all or nothing.

    What Treadle has not is listed. Unless that is all without effect on packets, nothing
    is imported. Run again it brings what has changed in OVN since.
    """
    if as_json and str(output) == "-":
        fail("only one of --json and --output - can be on standard output", ExitCode.USAGE)
    imported = _imported(nb, (private_key, certificate, ca_cert), document)
    findings = [finding._asdict() for finding in imported.report.findings]
    told: dict[str, Any] = {"document": document, "findings": findings, "result": None}
    if not as_json:
        _print_findings(imported.report)
    if (losses := len(imported.report.losses)) and not skip_unsupported:
        if as_json:
            print_json(told)
        fail(
            f"nothing was imported: packets would fare otherwise for what is listed as lost "
            f"({losses}); --skip-unsupported imports the rest"
        )
    if output is not None:
        _write(imported, output)
        if as_json:
            print_json(told)
        return
    with Client(url, token, token_file) as client:
        for line in _chassis_to_come(imported.document, client.items("/v1/chassis")):
            typer.secho(f"note: {line}", err=True)
        result = client.document(
            "POST",
            "/v1/apply",
            query={
                "dry_run": dry_run,
                "adopt": adopt,
                "wait": None if dry_run else wait,
                "timeout": timeout,
                "comment": comment or f"imported from {nb}",
            },
            body=json.dumps(imported.document).encode(),
        )
    print_json({**told, "result": result}) if as_json else print_result(result)


def _imported(
    nb: str, files: tuple[Path | None, Path | None, Path | None], document: str
) -> "Imported":
    """What is imported from `nb`; `files` are for a connection with TLS."""
    # What reads databases is not loaded for every other command.
    from cli.import_ovn.database import Credentials, DatabaseError, read_snapshot
    from cli.import_ovn.translation import translate

    given = [file for file in files if file is not None]
    if len(given) not in (0, len(files)):
        fail("give --private-key, --certificate and --ca-cert together", ExitCode.USAGE)
    try:
        return translate(read_snapshot(nb, Credentials(*given) if given else None), document)
    except DatabaseError as error:
        fail(error, ExitCode.UNREACHABLE)


def _print_findings(report: "Report") -> None:
    """One line each, on standard error: standard output may be the document."""
    for finding in report.findings:
        kind = "lost" if finding.changes_verdicts else "note"
        colour = typer.colors.RED if finding.changes_verdicts else None
        where = f"{finding.object}, {finding.column}" if finding.column else finding.object
        typer.secho(f"{kind}: {where}: {finding.reason}", err=True, fg=colour)


def _chassis_to_come(
    document: Mapping[str, Any], chassis: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """Which requested chassis are none of the server's, by name or host name."""
    known = {each[field] for each in chassis for field in ("name", "hostname")}
    waiting: dict[str, list[str]] = {}
    for switch in document["logical_switches"].values():
        for port, values in switch.get("ports", {}).items():
            for wanted in values.get("requested_chassis", ()):
                if wanted not in known:
                    waiting.setdefault(wanted, []).append(port)
    for wanted, ports in sorted(waiting.items()):
        others = f" and {len(ports) - 1} more" if len(ports) > 1 else ""
        yield (
            f"logical switch port {ports[0]}{others}, options:requested-chassis: "
            f"no chassis has registered as {wanted} yet"
        )


def _write(imported: "Imported", output: Path) -> None:
    import yaml

    text = yaml.safe_dump(imported.document, sort_keys=False, allow_unicode=True, width=100)
    if str(output) == "-":
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{output}: {error.strerror}", ExitCode.USAGE)
