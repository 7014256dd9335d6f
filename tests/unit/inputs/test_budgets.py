"""Budgets and rules of a gate: what may be written, and what a mistake is answered with."""

from __future__ import annotations

import tomllib

import pytest

from tuner.errors import UsageError
from tuner.inputs.budgets import read_budgets, read_rules
from tuner.model import DEFAULT_RULES, Acknowledgement, BudgetQuantity, Level, Metric


@pytest.mark.parametrize(
    ("key", "text", "at_most"),
    [
        ("p95", "<= 250ms", 250.0),
        ("p99", "<=1.5s", 1500.0),
        ("mean", "80 ms", 80.0),
        ("cost_per_million", "<= $4.20", 4.2),
        ("cost_per_million", 4, 4.0),
        ("max_memory_used", "<= 200 MB", 200.0),
        ("max_memory_used", 200, 200.0),
        ("errors", "<= 0.1%", 0.001),
        ("errors", 0, 0.0),
    ],
)
def test_a_limit_is_read_in_the_unit_of_its_quantity(key: str, text: object, at_most: float) -> None:
    (limit,) = read_budgets({key: text})
    assert (limit.quantity, limit.level) == (BudgetQuantity(key), Level.ERROR)
    assert limit.at_most == pytest.approx(at_most)


def test_a_table_gives_level_and_acknowledgement_with_a_toml_date() -> None:
    text = 'p95 = { limit = "<= 250ms", level = "warn", acknowledged = "ABC-12", until = 2027-01-31 }'
    (limit,) = read_budgets(tomllib.loads(text))
    assert limit.level is Level.WARN
    assert limit.acknowledgement == Acknowledgement(reason="ABC-12", expires="2027-01-31")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"p59": "<= 1ms"}, "p9"),
        ({"p95": "<= 250"}, 'p95 = "<= 250ms"'),
        ({"p95": ">= 250ms"}, 'p95 = "<= 250ms"'),
        ({"p95": True}, 'p95 = "<= 250ms"'),
        ({"p95": {"limt": "<= 250ms"}}, "Did you mean limit?"),
        ({"p95": {"level": "warn"}}, 'p95 = "<= 250ms"'),
        ({"p95": {"limit": "<= 1ms", "level": "warning"}}, "Did you mean warn?"),
        ({"p95": {"limit": "<= 1ms", "acknowledged": "because"}}, "until"),
        ({"p95": {"limit": "<= 1ms", "until": "2027-01-31"}}, "acknowledged"),
        ({"p95": {"limit": "<= 1ms", "acknowledged": "x", "until": "soon"}}, "2027-01-31"),
        ({"errors": "<= 200%"}, 'errors = "<= 0.1%"'),
        ({"max_memory_used": "<= 1GB"}, 'max_memory_used = "<= 200MB"'),
    ],
)
def test_a_mistake_is_answered_with_what_to_write(table: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_budgets(table)
    assert words in caught.value.hint


def test_metrics_that_are_not_named_keep_their_rules_and_their_order() -> None:
    rules = read_rules({"init": {"margin": "10%", "level": "error"}, "max_memory": "off"})
    assert [rule.metric for rule in rules] == [rule.metric for rule in DEFAULT_RULES]
    found = {rule.metric: rule for rule in rules}
    assert (found[Metric.INIT].margin, found[Metric.INIT].level) == (0.1, Level.ERROR)
    assert found[Metric.MAX_MEMORY].level is Level.OFF
    assert found[Metric.DURATION] == DEFAULT_RULES[0]


def test_a_margin_switches_a_metric_on_that_is_usually_off() -> None:
    found = {rule.metric: rule for rule in read_rules({"p95": "10%", "billed_duration": "3%"})}
    assert found[Metric.P95].level is Level.ERROR
    assert found[Metric.BILLED_DURATION].level is Level.WARN


def test_an_unknown_metric_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        read_rules({"durations": "5%"})
    assert caught.value.hint == "Did you mean duration?"
