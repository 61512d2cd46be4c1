"""Sparse pipelines: which stages are used, and where each leads."""

from chassis_agent import tables
from chassis_agent.compile import StageBook, StageKey
from chassis_agent.show import Names, format_flow
from southbound.rows import Template


def template(pipeline: str, number: int, name: str, default: str = "next") -> Template:
    return Template(number, pipeline, name, number, default, "1", "1", "next;", "")


BOOK = StageBook.of(
    [
        template("ls_in", 0, "ls_in_admission", "drop"),
        template("ls_in", 1, "ls_in_acl"),
        template("ls_in", 2, "ls_in_lookup"),
        template("ls_out", 0, "ls_out_acl"),
        template("lr_in", 0, "lr_in_admission"),
    ]
)


def test_stages_that_drop_are_used_without_flows() -> None:
    assert BOOK.used("ls", []).stages == (StageKey("ls_in", 0),)
    assert BOOK.used("lr", []).stages == ()


def test_a_pipeline_without_used_stages_leads_nowhere() -> None:
    used = BOOK.used("ls", [])
    assert used.first_ingress == tables.INGRESS
    assert used.after(StageKey("ls_in", 0)) == tables.NOWHERE
    assert used.first_egress == tables.NOWHERE


def test_unused_stages_are_passed_over() -> None:
    used = BOOK.used("ls", [StageKey("ls_in", 2), StageKey("ls_out", 0)])
    assert used.after(StageKey("ls_in", 0)) == tables.INGRESS + 2
    assert used.at_or_after(BOOK.named("ls_in_acl")) == tables.INGRESS + 2
    assert used.first_egress == tables.EGRESS


def test_what_no_flow_takes_goes_on_except_where_the_default_is_to_drop() -> None:
    used = BOOK.used("ls", [StageKey("ls_in", 1), StageKey("ls_in", 2)])
    names = Names(stages=BOOK.names(), kinds={5: "ls"}, datapaths={5: "web"})
    assert [format_flow(flow, names) for flow in used.default_flows(BOOK, 5, cookie=1)] == [
        "table=ls_in_acl priority=0 datapath=web actions=resubmit(ls_in_lookup)",
        "table=ls_in_lookup priority=0 datapath=web actions=resubmit(nowhere)",
    ]


def test_what_was_looked_up_before_does_not_make_stages_differ() -> None:
    one, other = BOOK.used("ls", []), BOOK.used("ls", [])
    assert one.first_ingress == tables.INGRESS
    assert one == other
