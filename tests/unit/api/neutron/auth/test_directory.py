"""The file of users: what it says, and what is refused of it."""

from pathlib import Path

import pytest

from api.neutron.auth.directory import Directory, DirectoryError
from api.neutron.auth.passwords import check_password, checked_hash, hash_password

HASH = "scrypt$1$1$1$c2FsdHNhbHQ$" + "A" * 43
TWO_CREDENTIALS = f"""
[projects.p]
[users.a]
project = "p"
[users.a.application_credentials.c]
secret_hash = "{HASH}"
id = "x"
[users.b]
project = "p"
[users.b.application_credentials.c]
secret_hash = "{HASH}"
id = "x"
"""


def test_passwords() -> None:
    one, other = hash_password("päss"), hash_password("päss")
    assert one != other
    assert check_password("päss", one)
    assert not check_password("pass", one)
    assert not check_password("x" * 5000, one)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "scrypt$20$8$1$c2FsdHNhbHQ$" + "A" * 43,
        "scrypt$14$99$1$c2FsdHNhbHQ$" + "A" * 43,
        "scrypt$0$1$1$c2FsdHNhbHQ$" + "A" * 43,
        "scrypt$1$1$1$c2FsdHNhbA" + "A" * 43,
        "scrypt$1$1$1$c2Fsd!NhbHQ$" + "A" * 43,
    ],
)
def test_what_is_no_hash(text: str) -> None:
    with pytest.raises(ValueError, match=r"hash|work"):
        checked_hash(text)


def test_a_user_of_one_project_is_there_and_others_say_where() -> None:
    directory = Directory.parse(
        f'[users.a]\npassword_hash = "{HASH}"\nroles = {{ acme = ["admin"] }}\n'
        f'[users.b]\nroles = {{ acme = ["x"], zoo = ["member"] }}\n'
    )
    a, b = directory.user(name="a"), directory.user(id="b")
    assert a is not None
    assert b is not None
    assert (directory.home(a), directory.home(b)) == (directory.project(id="acme"), None)
    assert directory.roles(a, "acme") == {"admin", "member", "reader"}
    assert directory.roles(b, "acme") == {"x"}
    assert directory.roles(b, "none") == set()
    assert directory.role_names() == ["admin", "member", "reader", "x"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[users", "no TOML"),
        ("colour = 1", "colour: Extra inputs"),
        ("[users.a]\npassword = 'x'", r"users\.a\.password: Extra inputs"),
        ("[users.a]\npassword_hash = 'hunter2'", r"users\.a\.password_hash: is no hash"),
        ("[users.'a b']", r"users\.a b"),
        ("[users.a]\nproject = 'none'", "there is no project 'none'"),
        ("[users.a]\nid = 'b'\n[users.b]", "two users have the same id"),
        ("[projects.a]\nid = 'b'\n[projects.b]", "another project has the id 'b'"),
        (f"[users.a.application_credentials.c]\nsecret_hash = '{HASH}'", "says a project"),
        (
            TWO_CREDENTIALS,
            "two application credentials",
        ),
        ("[[services]]\ntype = 'network'\nurl = 'http://x'", "there is one of type 'network'"),
        ("[[services]]\ntype = 'volume'\nurl = 'ftp://x'", r"services\.0\.url"),
    ],
)
def test_refusals_say_where_and_never_show_a_value(text: str, reason: str) -> None:
    with pytest.raises(DirectoryError, match=reason) as refused:
        Directory.parse(text)
    assert "hunter2" not in str(refused.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "identity.toml"
    with pytest.raises(DirectoryError, match="cannot read"):
        Directory.read(path)
    path.write_bytes(b"\xff")
    with pytest.raises(DirectoryError, match="decode"):
        Directory.read(path)
