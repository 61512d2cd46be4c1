"""``treadle hash-password``: what it prints is what a password is checked against."""

import pytest
from typer.testing import CliRunner

from api.neutron.auth.passwords import check_password
from cli.main import application


def test_a_password_of_standard_input() -> None:
    result = CliRunner().invoke(application(["hash-password"]), ["hash-password"], input="p4ss\n")
    assert result.exit_code == 0, result.output
    assert check_password("p4ss", result.output.strip())


@pytest.mark.parametrize("text", ["", "\n", "x" * 5000])
def test_what_is_no_password(text: str) -> None:
    result = CliRunner().invoke(application(["hash-password"]), ["hash-password"], input=text)
    assert result.exit_code == 2
    assert "1 to 4096 characters" in result.output
