"""The options that measuring commands share, from Typer's arguments by name to the groups that the commands take.

A command that does not have an option leaves it out, and is as if it had not been typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.cli.inputs import FunctionOptions, OutputOptions, SendingOptions, SpendOptions


def where(given: Mapping[str, Any]) -> FunctionOptions:
    return FunctionOptions(
        function=given["function"],
        local=given["local"],
        region=given["region"],
        profile=given["profile"],
        endpoint_url=given["endpoint_url"],
        transport=given["transport"].value,
        handler=given["handler"],
        runtime=given["runtime"],
        simulation=given["simulate"],
        timeout_s=given["timeout"],
        current_memory_mb=given["current_memory"],
        environment=tuple(given["env"] or ()),
    )


def send(given: Mapping[str, Any]) -> SendingOptions:
    return SendingOptions(
        payloads=tuple(given["payload"] or ()),
        event=given["event"],
        event_settings=tuple(given["set_"] or ()),
        event_repeats=tuple(given["repeat"] or ()),
        expected_errors=tuple(given["expect_error"] or ()),
        before=given["before"],
        after=given["after"],
    )


def spend(given: Mapping[str, Any]) -> SpendOptions:
    return SpendOptions(
        max_cost=given["max_cost"],
        max_invocations=given["max_invocations"],
        max_time=given["max_time"],
        yes=given.get("yes", False),
        price_per_gb_s=given["price_per_gb_s"],
        price_per_request=given["price_per_request"],
    )


def output(given: Mapping[str, Any]) -> OutputOptions:
    return OutputOptions(
        json_output=given["output"] == "json",
        report_files=tuple(given.get("report") or ()),
        charts=given.get("charts"),
        quiet=given["quiet"],
        verbose=given.get("verbose", False),
    )
