"""Text and trees stand for each other, and no text at all does harm."""

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from logical_flow.acl import AclMatch, parse_acl_match
from logical_flow.action import Action, format_actions
from logical_flow.action_parser import parse_actions
from logical_flow.errors import LanguageError
from logical_flow.expression import Expression
from logical_flow.fields import SYMBOLS
from logical_flow.match_parser import parse_match

from .strategies import actions, expressions


@given(expressions())
def test_an_expression_survives_its_text(expression: Expression) -> None:
    assert parse_match(str(expression)) == expression


@given(actions())
def test_actions_survive_their_text(found: tuple[Action, ...]) -> None:
    assert parse_actions(format_actions(found)) == found


WORDS = [
    *SYMBOLS,
    *("&&", "||", "!", "(", ")", "{", "}", "[", "]", "==", "!=", "<", "<=", ">", ">=", "=", "<->"),
    *(
        "0",
        "1",
        "0x",
        "10.0.0.0/8",
        "::",
        "00:00:00:00:00:00",
        "..",
        ",",
        ";",
        "--",
        "/",
        "$a",
        "@",
    ),
    *('"p"', '"', "next", "output", "drop", "ct_commit", "clone", "arp", "log", "get_arp"),
    *("{x:mac}", "{x:expr}", "//", "/*", "\n", "\x00", "ä", "٣"),
]
texts = (
    st.text()
    | st.lists(st.sampled_from(WORDS)).map(" ".join)
    | st.lists(st.sampled_from(WORDS)).map("".join)
)


@given(texts)
@example("ip4.src == 1.2.3.٣")
@example("tcp.dst == ٣")
@example("reg0[٣]")
def test_any_text_is_a_match_or_an_error_that_points_into_it(text: str) -> None:
    for parse in (parse_match, parse_actions, parse_to_lport):
        error = error_of(parse, text)
        if error is not None:
            assert 0 <= error.position <= len(text)
            assert error.caret().count("\n") == 1


def parse_to_lport(text: str) -> AclMatch:
    return parse_acl_match(text, "to-lport")


def error_of(parse: Callable[[str], object], text: str) -> LanguageError | None:
    try:
        parse(text)
    except LanguageError as error:
        return error
    return None
