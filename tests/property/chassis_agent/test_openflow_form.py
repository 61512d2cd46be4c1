"""The OpenFlow flows of an expression mean what the expression means, on every packet."""

from logical_flow.expression import Expression
from logical_flow.match_parser import parse_match
from tests.property.chassis_agent.openflow_form import openflow_truth
from tests.property.logical_flow.universe import TERMINALS, expressions, truth


def check(expression: Expression) -> None:
    assert openflow_truth(expression) == truth(expression), str(expression)


def test_expressions_of_up_to_three_terminals() -> None:
    checked = 0
    for expression in expressions(TERMINALS, 3):
        checked += 1
        check(expression)
    assert checked > 30_000


def test_conjunctions_of_sets() -> None:
    for text in (
        "reg9 == $low && inport == @some && reg0[0..2] != 5",
        "reg9 == $wide && inport == @some && reg1[1..2] == {1, 2}",
        'reg9 == {$low, 0.0.0.1} && reg0[0..2] == {1, 3, 4} && inport == {@other, "q"}',
        "reg9 != $wide && reg9 == $low && inport == @some",
        "(reg9 == $low && inport == @some) || (reg9 == $wide && inport == @other)",
    ):
        check(parse_match(text))
