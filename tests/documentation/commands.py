"""The commands that a page of the documentation prints, to be run as they are printed.

A fenced block is one of commands if its info string says so:

``console``
    Commands stand behind ``$``, each followed by what it prints. In that ``…`` stands for
    anything, and white space for any white space.
``sh``
    Every line is a command, or goes on with the one before it after a backslash or within
    quotes; comments are left out.

A comment right before the block says what is special about it: ``<!-- exits 1 -->`` is the
exit code of its commands where that is not 0, ``<!-- not run: WHY -->`` that a lab has not
got what they need. :func:`unmarked` finds blocks that look like commands and are not marked
as such, so that a page can't print any that are never tried.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<info>\S*)\s*$")
_EXITS = re.compile(r"<!-- exits (?P<code>[0-9]+) -->")
_NOT_RUN = re.compile(r"<!-- not run: .+ -->")
_PROMPT = "$ "
_LOOKS_LIKE_COMMAND = re.compile(
    r"\$ |(treadle|\./run|curl|ov[sn]-\w+|sqlite3|systemctl|pip|git)( |$)"
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its fence, counted from 1, `note` the line before it."""

    page: str
    line: int
    info: str
    note: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command as printed, what it is said to print, and the exit code that it should have."""

    page: str
    line: int
    text: str
    output: str
    exit_code: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """All fenced blocks of a page."""
    note, start, info = "", 0, ""
    inside: list[str] | None = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside, start, info = [], number, fence["info"]
        elif inside is not None and line.startswith("```"):
            yield Block(page.name, start, info, note, tuple(inside))
            inside, note = None, ""
        elif inside is not None:
            inside.append(line)
        elif line.strip():
            note = line.strip()
    assert inside is None, f"{page}: the block of line {start} has no end"


def commands(page: Path) -> list[Command]:
    """All commands of a page that are to be run, in their order."""
    found: list[Command] = []
    for block in blocks(page):
        if _NOT_RUN.fullmatch(block.note):
            continue
        if block.info == "console":
            found += _of_console(block)
        elif block.info == "sh":
            found += _of_script(block)
    return found


def unmarked(page: Path) -> list[Block]:
    """The blocks that look like commands without being marked as such."""
    return [
        block
        for block in blocks(page)
        if block.info not in ("console", "sh")
        and any(_LOOKS_LIKE_COMMAND.match(line) for line in block.lines)
    ]


def run(
    command: Command,
    environment: Mapping[str, str],
    directory: Path,
    within: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, standard error with standard output, and wait for its end.

    `within` goes before the shell: what leads into a sandbox.
    """
    argv: Sequence[str] = (*within, "bash", "-euo", "pipefail", "-c", command.text)
    return subprocess.run(
        argv,
        env=dict(environment),
        cwd=directory,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=120,
    )


def says(printed: str, real: str) -> bool:
    """Whether `real` output has what the page has printed, where ``…`` stands for anything.

    >>> says("no: … by ACL a", "no: dropped\\n  by ACL a,"), says("yes", "no")
    (True, False)
    """
    words = printed.split()
    pattern = r"\s+".join(".*?".join(map(re.escape, word.split("…"))) for word in words)
    pattern = pattern.replace(r"\s+.*?\s+", r"\s+(?:.*?\s+)?")
    return re.search(pattern, real, re.DOTALL) is not None


def trouble(command: Command, done: subprocess.CompletedProcess[str]) -> str:
    """What is wrong with how a command ended; empty if nothing is."""
    if done.returncode != command.exit_code:
        return f"{command}: exit code {done.returncode}, not {command.exit_code}:\n{done.stdout}"
    if not says(command.output, done.stdout):
        return f"{command}: printed is\n{command.output}\nbut it says\n{done.stdout}"
    return ""


def _of_console(block: Block) -> Iterator[Command]:
    text, line, output = "", 0, [""]
    for number, content in enumerate(block.lines, block.line + 1):
        if content.startswith(_PROMPT):
            if text:
                yield _command(block, line, text, output)
            text, line, output = content.removeprefix(_PROMPT), number, []
        elif text and not output and not _is_whole(text):
            text += f"\n{content}"
        else:
            output.append(content)
    if text:
        yield _command(block, line, text, output)


def _of_script(block: Block) -> Iterator[Command]:
    text, line = "", 0
    for number, content in enumerate(block.lines, block.line + 1):
        if not text and (not content.strip() or content.startswith("#")):
            continue
        line = line if text else number
        text += f"\n{content}" if text else content
        if _is_whole(text):
            yield _command(block, line, text, [])
            text = ""
    assert not text, f"{block.page}:{line}: the command has no end: {text}"


def _command(block: Block, line: int, text: str, output: Sequence[str]) -> Command:
    exits = _EXITS.fullmatch(block.note)
    code = int(exits["code"]) if exits else 0
    return Command(block.page, line, text, "\n".join(output), code)


def _is_whole(text: str) -> bool:
    """Whether no further line belongs to a command."""
    if text.endswith(("\\", "|", "&&", "||")):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True
