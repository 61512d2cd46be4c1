"""When backends are asked, and when they count as up."""

from itertools import count

from msgspec.structs import replace

from chassis_agent.backends.checks import RETRY_SECONDS, BackendChecks, Question
from chassis_agent.backends.frames import Answer
from southbound.rows import BackendCheck, BackendStatus
from southbound.wire import BackendState

CHECK = BackendCheck(
    *("&v", "10.0.0.1:80", "tcp", "d", "web-1", "0a:00:00:00:00:01", "10.0.0.9"),
    interval=5,
    timeout=3,
    success_count=2,
    failure_count=3,
)


def checks(check: BackendCheck = CHECK, known: BackendStatus | None = None) -> BackendChecks:
    numbers = count()
    made = BackendChecks(lambda below: next(numbers) % below)
    made.use({check.key: check}, lambda _: known, 0.0)
    return made


def answer(question: Question, refusal: str = "") -> Answer:
    acknowledged = None if refusal else question.sequence + 1
    return Answer(question.asked, refusal, acknowledged, acknowledged)


def states(made: BackendChecks) -> list[tuple[bool, str]]:
    return [(each.up, each.reason) for each in made.statement().states]


def ask(made: BackendChecks, now: float) -> Question:
    (question,) = made.due(now, 9)
    return question


def test_the_first_answer_decides_and_then_it_takes_several() -> None:
    made = checks()
    assert states(made) == []
    made.answered("web-1", answer(ask(made, 0)))
    assert states(made) == [(True, "")]
    for now in (5, 10):
        made.answered("web-1", answer(ask(made, now), "refused"))
        assert states(made) == [(True, "")]
    made.answered("web-1", answer(ask(made, 15), "refused"))
    assert states(made) == [(False, "refused")]
    made.answered("web-1", answer(ask(made, 20)))
    assert states(made) == [(False, "refused")]
    made.answered("web-1", answer(ask(made, 25), "refused again"))
    assert states(made) == [(False, "refused again")]
    for now in (30, 35):
        made.answered("web-1", answer(ask(made, now)))
    assert states(made) == [(True, "")]


def test_silence_is_a_failure_of_tcp_and_none_of_udp() -> None:
    made = checks()
    ask(made, 0)
    assert made.due(2, 9) == []
    assert made.due(3, 9) == []
    assert states(made) == [(False, "no answer within 3 s")]
    assert made.seconds_until_next(3, 60) == 2
    udp = checks(replace(CHECK, protocol="udp"))
    ask(udp, 0)
    udp.due(3, 9)
    assert states(udp) == [(True, "")]


def test_only_an_answer_to_the_question_counts() -> None:
    made = checks()
    question = ask(made, 0)
    right = answer(question)
    for wrong in (
        right._replace(acknowledged=question.sequence),
        right._replace(asked=question.asked._replace(source_port=1)),
        right._replace(asked=question.asked._replace(backend=b"\x0a\0\0\7")),
    ):
        assert made.answered("web-1", wrong) is None
    assert made.answered("web-2", right) is None
    assert made.answered("web-1", right) == question
    assert made.answered("web-1", right) is None


def test_what_is_known_holds_at_first() -> None:
    made = checks(known=BackendStatus("&v", "10.0.0.1:80", False, "was down", "hv1", 1.0))
    assert states(made) == [(False, "was down")]
    made.answered("web-1", answer(ask(made, 0)))
    assert states(made) == [(False, "was down")]


def test_a_changed_check_begins_anew_and_one_that_is_gone_is_forgotten() -> None:
    made = checks()
    made.answered("web-1", answer(ask(made, 0)))
    faster = replace(CHECK, interval=1, timeout=1)
    made.use({faster.key: faster}, lambda _: None, 1.0)
    assert states(made) == [(True, "")]
    ask(made, 1)
    made.use({}, lambda _: None, 2.0)
    assert (len(made), states(made), made.due(99, 9)) == (0, [], [])


def test_a_port_without_mac_address_is_down() -> None:
    without = replace(CHECK, mac="")
    made = checks(without)
    assert made.statement().states == (
        BackendState("&v", "10.0.0.1:80", False, "its port has no MAC address"),
    )
    assert made.due(0, 9) == []


def test_so_many_at_once() -> None:
    made = BackendChecks(lambda below: 7 % below)
    rows = [replace(CHECK, member=f"10.0.0.{n}:80") for n in range(1, 30)]
    made.use({row.key: row for row in rows}, lambda _: None, 0.0)
    assert [len(made.due(0, 10)) for _ in range(4)] == [10, 10, 9, 0]


def test_what_was_not_asked_is_asked_soon_and_leaves_no_trace() -> None:
    made = checks()
    first = ask(made, 0)
    made.not_asked(first, 0)
    assert made.seconds_until_next(0, 60) == RETRY_SECONDS
    assert made.answered("web-1", answer(first)) is None
    second = ask(made, RETRY_SECONDS)
    made.not_asked(first, RETRY_SECONDS)
    assert states(made) == []
    assert made.answered("web-1", answer(second)) == second
