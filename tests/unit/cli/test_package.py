"""What the wheel brings along besides code, and what units and pages say of it."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.processes


ROOT = Path(__file__).parents[3]
INSTALLED = "/opt/treadle/"
"""Where units and pages look for Treadle."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (file,) = directory.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_example_of_the_demo_travels_in_the_wheel(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    wheel.extractall(site)
    program = "from cli.testbed.spec import example, load_spec; print(load_spec(example()).network)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    network = Path(done.stdout.strip())
    assert network.is_relative_to(site), done.stderr
    assert network.read_bytes() == (ROOT / "examples/demo/network.yaml").read_bytes()


def test_what_is_installed_is_where_it_is_looked_for(wheel: zipfile.ZipFile) -> None:
    data = re.compile(r"[^/]+\.data/data/(share/.*)")
    brought = {found[1] for name in wheel.namelist() if (found := data.fullmatch(name))}
    texts = [path.read_text() for path in (ROOT / "deploy").glob("*.service")]
    texts.append((ROOT / "docs/installation.md").read_text())
    named = {
        path.rstrip(".") for text in texts for path in re.findall(rf"{INSTALLED}(share/\S+)", text)
    }
    assert named
    files = {path for path in named if "." in path.rpartition("/")[2]}
    assert files <= brought
    directories = {str(parent) for path in brought for parent in PurePosixPath(path).parents}
    assert {path.rstrip("`,") for path in named - files} <= directories


def test_the_examples_of_pages_travel_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    brought = {name.partition("/share/treadle/")[2] for name in wheel.namelist()}
    pages = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    named = set(re.findall(r"\bexamples/[\w/.-]*\w\.(?:yaml|conflist)", pages))
    assert any(name.startswith("examples/cni/") for name in named)
    assert named <= brought


def test_commands_of_units_and_pages_are_installed(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    declared = wheel.read(entry_points).decode()
    texts = [path.read_text() for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    texts += [page.read_text() for page in (ROOT / "docs").glob("*.md")]
    asked = {name for text in texts for name in re.findall(rf"{INSTALLED}bin/([a-z-]+[a-z])", text)}
    installed = set(re.findall(r"^([a-z-]+) = ", declared, re.MULTILINE))
    assert "treadle-docker" in asked
    assert asked - {"pip"} <= installed


def test_the_users_of_units_are_made() -> None:
    units = [path.read_text() for path in (ROOT / "deploy").glob("*.service")]
    users = {name for unit in units for name in re.findall(r"^User=(.*)$", unit, re.MULTILINE)}
    made = re.findall(r"^u (\S+)", (ROOT / "deploy/treadle.sysusers").read_text(), re.MULTILINE)
    assert users - {"root"} == set(made)
    started = re.compile(rf"^ExecStart={INSTALLED}bin/(treadle|treadle-[a-z-]+)( |$)", re.MULTILINE)
    assert all(started.search(unit) for unit in units)
