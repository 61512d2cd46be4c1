"""Documents in files, as commands read them."""

from pathlib import Path

import pytest
import typer

from cli.files import read_mapping
from cli.testbed.errors import TestbedError
from cli.testbed.spec import load_spec


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "a document is a mapping"),
        (b"# only a comment", "a document is a mapping"),
        (b"\xff", "codec can't decode"),
        (b"a: " + b"[" * 100_000, "nested too deeply"),
        (b"a: " + b"9" * 5000, "too long for a number"),
        (b"a: [" + b"1," * 1_000_001 + b"]", "more than 1000000 values"),
    ],
)
def test_a_file_that_holds_no_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    file = tmp_path / "change.yaml"
    file.write_bytes(content)
    with pytest.raises(typer.Exit) as ended:
        read_mapping(file)
    assert ended.value.exit_code == 2
    shown = capsys.readouterr().err
    assert str(file) in shown
    assert reason in shown
    assert len(shown) < 1000


def test_a_lab_file_is_read_within_the_same_bounds(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_bytes(b"vms: " + b"[" * 100_000)
    with pytest.raises(TestbedError, match="nested too deeply"):
        load_spec(file)
    file.write_bytes(b"\xff")
    with pytest.raises(TestbedError, match="codec can't decode"):
        load_spec(file)
    file.write_bytes(b"# all as by default\n")
    assert load_spec(file).hypervisors == ("hv1", "hv2", "hv3")
