"""The words of all that this release writes are those that it says it knows."""

import pytest

from logical_flow.words import KNOWN_WORDS, unknown_words, words_of
from tests.unit.logical_flow.action_samples import samples
from translator.pipeline import PIPELINES


@pytest.mark.parametrize("text", [str(action) for action in samples()])
def test_the_words_of_every_action_are_known(text: str) -> None:
    assert unknown_words(text) == []


def test_the_words_of_every_template_are_known() -> None:
    for pipeline in PIPELINES:
        for template in pipeline.templates:
            text = template.as_text()
            assert unknown_words(text.priority, text.match, text.actions) == [], template


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('inport == "web-1.x" && ip4.src == $web-set', {"inport", "ip4.src"}),
        ("eth.dst == 01:00:5e:00:00:00/24 && ip6.dst == ff02::1", {"eth.dst", "ip6.dst"}),
        ("ip4.src == $t-1:x/web && ip4.dst == $.7", {"ip4.src", "ip4.dst", "project/set"}),
        ("inport == @5b0e3f2c-7d7e-4a57-8a44-0d6f6a1f3c55", {"inport", "project/set"}),
        ("next(ls_in_l2_lkup);", set()),
        ("nsh.spi == {spi:int}", {"nsh.spi", "{int}"}),
        ("weigh(dnat);", {"weigh", "dnat"}),
        ("£$%&/()=", set()),
    ],
)
def test_words_are_neither_names_of_objects_nor_constants(text: str, words: set[str]) -> None:
    assert words_of(text) == words


def test_what_is_unknown_is_what_the_reader_does_not_have() -> None:
    assert unknown_words("ip4 && nsh.spi == 3", "weigh; next;") == ["nsh.spi", "weigh"]
    assert unknown_words("ip4", known=KNOWN_WORDS - {"ip4"}) == ["ip4"]
