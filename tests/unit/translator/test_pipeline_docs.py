from pathlib import Path

from translator.pipeline import PIPELINES
from translator.pipeline_docs import render

PAGE = Path(__file__).parents[3] / "docs" / "pipeline.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == render(), (
        "run `python -m translator.pipeline_docs docs/pipeline.md`, and review the difference"
    )


def test_every_stage_explains_itself() -> None:
    for pipeline in PIPELINES:
        for stage in pipeline.stages:
            assert stage.__doc__, stage.name
            assert stage.templates, stage.name
