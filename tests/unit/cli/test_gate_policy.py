"""The policy of a gate: the project's tables, and what is typed over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tuner.cli.gate_policy import PolicyOptions, gate_tables, read_policy
from tuner.errors import UsageError
from tuner.model import BudgetQuantity, Level, Metric

TYPED = PolicyOptions(max_regression="5%", error_rate="5%", max_calls=400, metrics=(), budgets=())
FILE = """
[functions.orders.budget]
p95 = { limit = "<= 250ms", acknowledged = "ABC-12", until = 2027-01-31 }
errors = "<= 1%"

[functions.orders.regression]
init = { level = "error", acknowledged = "larger package", until = 2027-01-31 }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tuner.toml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNER_CONFIG", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["orders", "orders:prod", "arn:aws:lambda:eu-west-1:123456789012:function:orders"])
def test_the_tables_of_a_function_hold_however_it_is_named(project: Path, name: str) -> None:
    policy = read_policy(TYPED, gate_tables(None, name))
    assert [limit.quantity for limit in policy.budgets] == [BudgetQuantity.P95, BudgetQuantity.ERRORS]


def test_a_folder_is_known_by_its_name(project: Path) -> None:
    assert gate_tables(None, "functions/orders", "orders").keys() == {"budget", "regression"}
    assert gate_tables(None, "functions/other", "other") == {}


def test_what_is_typed_takes_the_place_of_what_is_written(project: Path) -> None:
    typed = replace(TYPED, budgets=("p95<=1s", "p50<=10ms"), metrics=("init=10%",), max_regression="2.5%")
    policy = read_policy(typed, gate_tables(None, "orders"))
    assert {limit.quantity: limit.at_most for limit in policy.budgets} == {
        BudgetQuantity.P95: 1000.0,
        BudgetQuantity.ERRORS: 0.01,
        BudgetQuantity.P50: 10.0,
    }
    init = next(rule for rule in policy.rules if rule.metric is Metric.INIT)
    assert (init.margin, init.level) == (0.1, Level.WARN)
    assert init.acknowledgement is not None
    assert policy.margin == 0.025


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metrics": ("init",)}, "--metric init=error"),
        ({"budgets": ("p95=250ms",)}, "--budget 'p95<=250ms'"),
        ({"budgets": ("p95<=250",)}, 'p95 = "<= 250ms"'),
        ({"error_rate": "0%"}, "--error-rate"),
        ({"max_regression": "0%"}, "--max-regression"),
    ],
)
def test_a_mistake_is_answered_with_what_to_type(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_policy(replace(TYPED, **change), {})  # type: ignore[arg-type]
    assert words in caught.value.hint
