"""The catalogue of facts about projects."""

from python_runner.engines.catalogue import FACTS, catalogue
from python_runner.engines.table import engine_names


def test_every_engine_belongs_to_one_project() -> None:
    named = [name for project in catalogue().projects for name in project.engines]
    assert sorted(named) == sorted(engine_names())


def test_every_fact_is_one_that_is_explained() -> None:
    for project in catalogue().projects:
        assert set(project.facts) <= set(FACTS), project.title
        assert "licence" in project.facts, project.title


def test_a_variant_has_the_facts_of_its_engine() -> None:
    facts = catalogue().facts("ollama@gogc=off")
    assert facts["licence"].values == ("MIT",)
    assert catalogue().facts("a-stranger") == {}
