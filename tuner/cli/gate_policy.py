"""The policy of a gate: from options, and from the tables of the project's configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.errors import UsageError
from tuner.inputs.budgets import read_budgets, read_rules
from tuner.model import BudgetLimit, GatePolicy, MetricRule
from tuner.units import parse_percent


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOptions:
    """What the command line says of the policy."""

    max_regression: str
    error_rate: str
    max_calls: int
    metrics: tuple[str, ...]
    """``init=error``, ``p95=10%``."""
    budgets: tuple[str, ...]
    """``p95<=250ms``."""

    def words(self) -> list[str]:
        words = ["--max-regression", self.max_regression, "--error-rate", self.error_rate]
        words += ["--max-calls", str(self.max_calls)]
        for metric in self.metrics:
            words += ["--metric", metric]
        for budget in self.budgets:
            words += ["--budget", budget]
        return words


def read_policy(options: PolicyOptions, tables: Mapping[str, Mapping[str, object]]) -> GatePolicy:
    """The policy for one function: its ``tables`` in the configuration (budget, regression), then what was typed.

    UsageError for what cannot be used.
    """
    rules = read_rules(tables.get("regression", {}))
    limits = read_budgets(tables.get("budget", {}))
    margin, alpha = parse_percent(options.max_regression), parse_percent(options.error_rate)
    if not 0.001 <= alpha <= 0.25:
        raise UsageError(f"An error rate of {options.error_rate} is of no use.", hint="Use --error-rate 1% to 25%.")
    if margin == 0:
        raise UsageError(
            "A margin of 0 % can never be shown to be kept: two runs of the same code differ by chance.",
            hint="Use --max-regression 5%, or the largest slow-down that does not matter.",
        )
    return GatePolicy(
        margin=margin,
        alpha=alpha,
        max_calls=options.max_calls,
        rules=_typed_rules(rules, options.metrics),
        budgets=_typed_budgets(limits, options.budgets),
    )


def gate_tables(config: Path | None, *names: str | None) -> Mapping[str, Mapping[str, object]]:
    """What the project's configuration says of a function, under the first of ``names`` that it knows."""
    from tuner.cli.configured import load

    configuration = load(config)
    if configuration is None:
        return {}
    return next((found for name in names if (found := configuration.gate_tables(name))), {})


def _typed_rules(rules: Sequence[MetricRule], typed: Sequence[str]) -> tuple[MetricRule, ...]:
    given = {}
    for text in typed:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"--metric {text!r} has no =.", hint="Write --metric init=error or --metric p95=10%.")
        metric = next(rule for rule in read_rules({name: value}) if rule.metric.value == name)
        given[metric.metric] = metric
    return tuple(
        replace(given[rule.metric], acknowledgement=rule.acknowledgement) if rule.metric in given else rule
        for rule in rules
    )


def _typed_budgets(limits: Sequence[BudgetLimit], typed: Sequence[str]) -> tuple[BudgetLimit, ...]:
    """A limit that is typed takes the place of the one in the file."""
    found = {limit.quantity: limit for limit in limits}
    for text in typed:
        name, separator, value = text.partition("<=")
        if not separator:
            raise UsageError(f"--budget {text!r} has no <=.", hint="Write --budget 'p95<=250ms'.")
        (limit,) = read_budgets({name.strip(): value.strip()})
        found[limit.quantity] = limit
    return tuple(found.values())
