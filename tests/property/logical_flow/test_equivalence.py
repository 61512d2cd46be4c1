"""Every form of an expression means what the expression means, on every packet."""

from logical_flow.annotate import annotate
from logical_flow.evaluate import evaluate, matches
from logical_flow.expression import Expression
from logical_flow.match_parser import parse_match

from .universe import PACKETS, SETS, TERMINALS, expressions, normal_form_truth, truth


def evaluated_truth(expression: Expression) -> int:
    annotated = annotate(expression)
    return sum(
        1 << index
        for index, packet in enumerate(PACKETS)
        if evaluate(annotated, packet, SETS) is True
    )


def test_normal_forms_of_up_to_three_terminals_are_equivalent() -> None:
    checked = 0
    for expression in expressions(TERMINALS, 3):
        checked += 1
        assert normal_form_truth(expression) == truth(expression), str(expression)
    assert checked > 30_000


def test_evaluation_of_up_to_two_terminals_is_equivalent() -> None:
    for expression in expressions(TERMINALS, 2):
        assert evaluated_truth(expression) == truth(expression), str(expression)


def test_text_of_up_to_two_terminals_parses_to_the_same_tree() -> None:
    for expression in expressions(TERMINALS, 2):
        assert parse_match(str(expression)) == expression


def test_an_unknown_field_leaves_open_only_what_depends_on_it() -> None:
    """None means that some value of the field gives true and some other false."""
    ports = "pqr"
    for expression in expressions(TERMINALS, 2):
        for base in PACKETS[:: len(ports)][::5]:
            answers = {matches(expression, {**base, "inport": port}, SETS) for port in ports}
            open_answer = matches(expression, {**base, "inport": None}, SETS)
            assert open_answer is None or answers == {open_answer}, str(expression)
