"""Commands are found in a page as a reader would find them."""

from pathlib import Path

import pytest

from tests.documentation.commands import Command, commands, run, says, trouble, unmarked

PAGE = """
Two of them, one of which says something:

```console
$ echo 'a b' |
    tr a-z A-Z
A
B
$ true   # says nothing
```

<!-- exits 3 -->
```sh
# A comment.
exit 3
(exit \\
  3)
```

<!-- not run: there is no such program -->
```sh
no-such-program
```

```yaml
treadles: 3
```

```
$ treadle show
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    return file


def test_each_command_with_its_output_and_exit_code(page: Path) -> None:
    assert commands(page) == [
        Command("page.md", 5, "echo 'a b' |\n    tr a-z A-Z", "A\nB", 0),
        Command("page.md", 9, "true   # says nothing", "", 0),
        Command("page.md", 15, "exit 3", "", 3),
        Command("page.md", 16, "(exit \\\n  3)", "", 3),
    ]


def test_they_are_run_as_printed(page: Path, tmp_path: Path) -> None:
    for command in commands(page):
        assert trouble(command, run(command, {"PATH": "/usr/bin:/bin"}, tmp_path)) == ""


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (Command("p", 1, "echo B", "A", 0), "printed is"),
        (Command("p", 1, "exit 1", "", 0), "exit code 1, not 0"),
        (Command("p", 1, "true", "", 2), "exit code 0, not 2"),
        (Command("p", 1, "false | true", "", 0), "exit code 1, not 0"),
    ],
)
def test_what_goes_otherwise_is_told(command: Command, told: str, tmp_path: Path) -> None:
    assert told in trouble(command, run(command, {"PATH": "/usr/bin:/bin"}, tmp_path))


def test_blocks_that_are_not_marked_are_found(page: Path) -> None:
    assert [block.lines for block in unmarked(page)] == [("$ treadle show",)]


def test_an_ellipsis_stands_for_anything() -> None:
    assert says("a … d\n…", "x a b c\n   d e")
    assert says("a … d", "a d")
    assert says("rev…ion", "revision")
    assert not says("a … d", "a b c")
