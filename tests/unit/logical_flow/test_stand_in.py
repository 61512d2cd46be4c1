"""What stands in for a template: never fewer packets where they are dropped."""

import pytest

from logical_flow.stand_in import StandIn, match_positions, stand_in
from logical_flow.template import MAX_PRIORITY, TemplateText
from logical_flow.words import HOLE_WORDS, KNOWN_WORDS

TEXT = TemplateText(
    7,
    "ls_in",
    "ls_in_x",
    3,
    "next",
    "1000+{priority:int}",
    "inport == {port:lport} && nsh.spi == {a:int} && (ip4 || arp) && eth.src == {mac:mac}",
    "weigh({b:ip4}); next;",
    "local:port",
)


def test_what_is_not_understood_of_an_and_is_left_out_with_its_arguments() -> None:
    assert stand_in(TEXT, "drop", KNOWN_WORDS) == StandIn(
        TEXT._replace(
            match="inport == {port:lport} && (ip4 || arp) && eth.src == {mac:mac}",
            actions="drop;",
        ),
        (0, 1, 3),
    )
    assert stand_in(TEXT, "next", KNOWN_WORDS) is None


def test_without_arguments_it_is_for_all_ports_at_the_highest_priority() -> None:
    found = stand_in(TEXT, "drop", KNOWN_WORDS - HOLE_WORDS)
    assert found is not None
    assert (found.text.priority, found.text.only, found.positions) == (str(MAX_PRIORITY), "", ())
    assert found.text.match == "(ip4 || arp)"


@pytest.mark.parametrize(
    ("match", "left"),
    [
        ("nsh.spi == 3", "1"),
        ("ip4 || nsh.spi == 3", "1"),
        ("ip4 && (arp || nsh.spi == 3)", "ip4"),
        ('inport == "a && b" && ip4', 'inport == "a && b" && ip4'),
        ("ip4.src == {10.0.0.1, 10.0.0.2} && ip4 == ", "ip4.src == {10.0.0.1, 10.0.0.2}"),
        ("((ip4)", "1"),
        ("", "1"),
    ],
)
def test_the_match_that_is_left_fits_all_that_the_original_fits(match: str, left: str) -> None:
    found = stand_in(TEXT._replace(match=match, priority="5"), "drop", KNOWN_WORDS)
    assert found is not None
    assert found.text.match == left


def test_a_match_that_is_understood_goes_on_where_the_stage_does() -> None:
    found = stand_in(TEXT._replace(match="ip4 && {match:expr}"), "next", KNOWN_WORDS)
    assert found is not None
    assert (found.text.match, found.text.actions) == ("ip4 && {match:expr}", "next;")
    assert match_positions(TEXT._replace(match="ip4 && {match:expr}")) == (1,)
