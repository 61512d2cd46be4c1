"""Whole documents that pages print, and those under ``examples``, are taken, and translated."""

from pathlib import Path

import pytest

from tests.documentation.commands import Block, blocks
from tests.unit.api.conftest import Server

ROOT = Path(__file__).parents[3]
PRINTED = [
    block
    for page in sorted((ROOT / "docs").glob("*.md"))
    for block in blocks(page)
    if block.info == "yaml" and block.lines[0].startswith("document:")
]
FILES = {
    str(path.relative_to(ROOT)): text
    for path in sorted((ROOT / "examples").rglob("*.yaml"))
    if "\ndocument:" in (text := path.read_text())
}


async def _apply(server: Server, text: str) -> None:
    headers = {"Content-Type": "application/yaml"}
    made = await server.client.post("/v1/apply", content=text, headers=headers)
    assert made.status_code == 200, made.text
    assert made.json()["created"]
    await server.translate()


@pytest.mark.parametrize("block", PRINTED, ids=lambda block: f"{block.page}:{block.line}")
async def test_documents_that_pages_print(server: Server, block: Block) -> None:
    await _apply(server, "\n".join(block.lines))


@pytest.mark.parametrize("path", FILES)
async def test_documents_that_are_files(server: Server, path: str) -> None:
    await _apply(server, FILES[path])


@pytest.mark.parametrize("backwards", [False, True])
async def test_documents_that_are_files_stand_side_by_side(
    server: Server, *, backwards: bool
) -> None:
    """Who tries one example after the other needn't take any away before."""
    for path in sorted(FILES, reverse=backwards):
        await _apply(server, FILES[path])
