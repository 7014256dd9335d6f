"""Everything in tuner that reads what somebody else wrote, with whole files to damage."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.mutations import Mutate, mutate_bytes, mutate_json, mutate_zip
from tuner.cli.rendering import AnyReport, document_text, html_of, markdown_of, text_of
from tuner.cli.report_file import read_gate_or_run, read_report, read_source
from tuner.inputs.power_tuning import PowerTuningResult

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
TEMPLATES = ROOT / "tests" / "unit" / "inputs" / "template_files"
PAGES_ONE_IN = 10
"""A page takes as long as ten other outputs: it is made of some reports only."""


@dataclass(frozen=True, slots=True)
class Reader:
    """``read`` may write into the folder, and must end or raise TunerError whatever the bytes are."""

    name: str
    originals: Callable[[], tuple[bytes, ...]]
    mutate: Mutate
    read: Callable[[bytes, Path], object]


def _files(*paths: Path) -> Callable[[], tuple[bytes, ...]]:
    return cache(lambda: tuple(path.read_bytes() for path in paths))


def _texts(*texts: str) -> Callable[[], tuple[bytes, ...]]:
    return lambda: tuple(text.encode() for text in texts)


def _written(data: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@cache
def _packages() -> tuple[bytes, ...]:
    small, linked = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event\n")
        archive.writestr("lib/data.json", json.dumps(list(range(200))))
        archive.writestr("lib/", "")
    with zipfile.ZipFile(linked, "w") as archive:
        archive.writestr("src/app.py", "def handler(event, context): ...\n")
        link = zipfile.ZipInfo("app.py")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "src/app.py")
    return small.getvalue(), linked.getvalue()


def _read_package(data: bytes, folder: Path) -> None:
    from tuner.local.package import read_function

    read_function(_written(data, folder, "function.zip"))


def _upload_package(data: bytes, folder: Path) -> None:
    from tuner.local.code import CodeStore

    CodeStore(folder / "code").add(data)


def _read_template(data: bytes, folder: Path, *, name: str) -> None:
    from tuner.inputs.templates.found import TemplateError
    from tuner.inputs.templates.read import edited_alone, template_functions, template_kind

    del folder
    text = data.decode("utf-8", "replace")
    kind = template_kind(name, text)
    functions = template_functions(kind, text)
    if functions:  # one of them, whichever: each edit reads the template twice more
        with suppress(TemplateError):
            edited_alone(kind, text, functions[len(data) % len(functions)], 1769)


def _read_project(data: bytes, folder: Path) -> None:
    from tuner.inputs.projects.found import read_project

    _written(data, folder, "plan.json")
    read_project(folder)


def _read_any_report(data: bytes, folder: Path) -> None:
    path = _written(data, folder, "report.json")
    found = read_source(str(path))
    if isinstance(found, PowerTuningResult):
        return
    _render(found, with_page=len(data) % PAGES_ONE_IN == 0)


def _render(report: AnyReport, *, with_page: bool) -> None:
    text_of(report)
    markdown_of(report)
    if with_page:
        html_of(report)


def _read_for_comparison(data: bytes, folder: Path) -> None:
    from tuner.cli.apply import recommended
    from tuner.cli.report import report_as_power_tuning
    from tuner.errors import UsageError
    from tuner.inputs.power_tuning import power_tuning_url
    from tuner.render.comparison import comparison_document

    report = read_report(str(_written(data, folder, "report.json")))
    golden = read_report(str(GOLDEN / "report.json"))
    document_text(comparison_document((("before", golden), ("after", report))), ".md")
    for use in (recommended, lambda report: power_tuning_url(report_as_power_tuning(report))):
        try:
            use(report)
        except UsageError:
            continue


def _read_for_history(data: bytes, folder: Path) -> None:
    from tuner.cli.history import read_entries, series_of
    from tuner.engine.history import History
    from tuner.engine.history_entries import entries_of
    from tuner.render.history import history_document

    report = read_gate_or_run(_written(data, folder, "report.json"), refused="is refused", hint="Give another.")
    history = History.of(folder)
    history.path.unlink(missing_ok=True)
    history.add(entries_of(report))
    document_text(history_document(series_of(read_entries(history))), ".md")


def _read_history_file(data: bytes, folder: Path) -> None:
    from tuner.cli.history import read_entries, series_of
    from tuner.engine.history import History
    from tuner.render.history import history_document

    history = History.of(folder)
    history.folder.mkdir(exist_ok=True)
    history.path.write_bytes(data)
    document_text(history_document(series_of(read_entries(history))), ".md")


@cache
def _history_files() -> tuple[bytes, ...]:
    import tempfile

    from tuner.engine.history import History
    from tuner.engine.history_entries import entries_of

    with tempfile.TemporaryDirectory() as folder:
        history = History.of(Path(folder))
        history.add(entries_of(read_report(str(GOLDEN / "report.json"))))
        return (history.path.read_bytes(),)


@cache
def _root_command() -> Any:
    """Typer takes longer to make it than a file takes to be read."""
    from tuner.cli.configured import root_command

    return root_command()


def _read_config(data: bytes, folder: Path) -> None:
    from tuner.cli.configured import default_values, effective, vocabulary
    from tuner.inputs.budgets import read_budgets, read_rules
    from tuner.inputs.config import problems, read_config

    configuration = read_config(_written(data, folder, "tuner.toml"))
    root = _root_command()
    problems(configuration, vocabulary(root))
    command = root.commands["run"]
    default_values(command, effective(command, configuration, "orders", None), folder)
    tables = configuration.gate_tables("orders")
    read_budgets(tables.get("budget", {}))
    read_rules(tables.get("regression", {}))


CONFIG = """memory = "128..3008"
strategy = "cost"
[run]
max-cost = "$0.02"
[functions.orders]
function = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
payload = ["events/put.json", "a.json=3"]
[functions.orders.budget]
p95 = "250ms"
[profiles.ci]
max-cost = "$0.02"
"""


def _read_power_tuning(data: bytes, folder: Path) -> None:
    from tuner.inputs.power_tuning import parse_power_tuning, power_tuning_url
    from tuner.render.imported import imported_document

    del folder
    result = parse_power_tuning(data.decode("utf-8", "replace"))
    power_tuning_url(result)
    document_text(imported_document(result), ".md")


POWER_TUNING_LINK = (
    "https://lambda-power-tuning.show/#gAAAAQACAAQABg==;zczwQ83M8ELNzHBCzczwQc3MIEI=;8WioNvFoqDbxaKg28WioNvFoqDY="
)
POWER_TUNING_OUTPUT = json.dumps(
    {
        "power": 512,
        "cost": 0.0000002083,
        "duration": 2.9,
        "stats": [
            {"value": 128, "averagePrice": 2.5e-7, "averageDuration": 120.5},
            {"value": 512, "averagePrice": 2.1e-7, "averageDuration": 2.9, "totalCost": 1e-5},
        ],
        "stateMachine": {"executionCost": 0.0003, "lambdaCost": 0.001, "visualization": POWER_TUNING_LINK},
    }
)


def _read_prices(data: bytes, folder: Path) -> None:
    from tuner.cli.prices_file import read_prices_file

    read_prices_file(_written(data, folder, "prices.json"))


def _read_price_list(data: bytes, folder: Path) -> None:
    from tuner.inputs.price_list import parse_price_list

    del folder
    parse_price_list(data, "eu-central-1")


@cache
def _prices() -> tuple[bytes, ...]:
    rows = json.loads((ROOT / "tuner" / "data" / "prices.json").read_bytes())
    regions = dict(list(rows["regions"].items())[:2])
    return (json.dumps({"regions": regions}).encode(),)


def _read_fault_plan(data: bytes, folder: Path) -> None:
    from tuner.local.fault_plan import Chooser, read_fault_plan

    chooser = Chooser(read_fault_plan(_written(data, folder, "plan.json")))
    for _ in range(10):
        chooser.next("Invoke")


def _read_simulation(data: bytes, folder: Path) -> None:
    from tuner.local.simulation import read_simulation

    read_simulation(_written(data, folder, "simulation.json"))


def _read_policy(data: bytes, folder: Path) -> None:
    from tuner.local.policy import read_policy

    read_policy(_written(data, folder, "policy.json"))


def _dimension(usd: str) -> dict[str, Any]:
    return {"priceDimensions": {"d": {"beginRange": "0", "pricePerUnit": {"USD": usd}}}}


PRICE_LIST = json.dumps(
    {
        "publicationDate": "2026-11-01T00:00:00Z",
        "products": {
            "A": {"attributes": {"group": "AWS-Lambda-Duration", "location": "EU (Frankfurt)"}},
            "B": {"attributes": {"group": "AWS-Lambda-Requests", "location": "EU (Frankfurt)"}},
        },
        "terms": {"OnDemand": {"A": {"t": _dimension("0.0000166667")}, "B": {"t": _dimension("0.0000002")}}},
    }
)
FAULT_PLAN = json.dumps(
    {
        "seed": 1,
        "faults": [
            {"fault": "throttle", "operation": "Invoke", "calls": "3-7"},
            {"fault": "error", "operation": "PublishVersion", "calls": [2], "status": 503},
            {"fault": "latency", "operation": "*", "probability": 0.3, "limit": 5, "ms": 10.5},
            {"fault": "foreign-deployment", "operation": "PublishVersion", "calls": "5-", "memory_mb": 640},
        ],
    }
)
SIMULATION = json.dumps(
    {
        "seed": 7,
        "spread": 0.1,
        "hosts": [{"share": 0.7, "speed": 1.0}, {"share": 0.3, "speed": 0.8}],
        "drift": {"depth": 0.1, "period_s": 300.0},
        "arm64_speed": 0.9,
        "network_ms": 1.0,
        "network_jitter_ms": 0.5,
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["lambda:Get*", "lambda:Invoke*"], "Resource": "*"},
            {"Effect": "Deny", "Action": "lambda:*", "Resource": ["arn:aws:lambda:*:*:function:[x]"]},
        ],
    }
)
TERRAFORM_SHOW = json.dumps(
    {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {
            "root_module": {
                "resources": [
                    {
                        "address": "aws_lambda_function.f",
                        "type": "aws_lambda_function",
                        "mode": "managed",
                        "values": {"memory_size": 512, "function_name": "f", "handler": "a.b"},
                    }
                ],
                "child_modules": [{"resources": []}],
            }
        },
    }
)

YAML = ("sam.yaml", "mappings.yaml", "anchors.yaml", "odd.yaml", "sam-globals.yaml")
REPORTS = tuple(GOLDEN / name for name in ("report.json", "cold-start.json", "gate.json"))

_ALL = (
    Reader("zip", _packages, mutate_zip, _read_package),
    Reader("zip-upload", _packages, mutate_zip, _upload_package),
    Reader(
        "template-yaml",
        _files(*(TEMPLATES / name for name in YAML)),
        mutate_bytes,
        partial(_read_template, name="template.yaml"),
    ),
    Reader(
        "template-json",
        _files(TEMPLATES / "tabs.json", TEMPLATES / "cdk.template.json"),
        mutate_bytes,
        partial(_read_template, name="template.json"),
    ),
    Reader(
        "template-serverless",
        _files(TEMPLATES / "serverless.yml", TEMPLATES / "serverless-list.yml"),
        mutate_bytes,
        partial(_read_template, name="serverless.yml"),
    ),
    Reader("template-tf", _files(TEMPLATES / "lambda.tf"), mutate_bytes, partial(_read_template, name="main.tf")),
    Reader("terraform-show", _texts(TERRAFORM_SHOW), mutate_json, _read_project),
    Reader("report", _files(*REPORTS), mutate_json, _read_any_report),
    Reader("report-compared", _files(REPORTS[0]), mutate_json, _read_for_comparison),
    Reader("report-history", _files(REPORTS[0], REPORTS[2]), mutate_json, _read_for_history),
    Reader("history-file", _history_files, mutate_bytes, _read_history_file),
    Reader("config", _texts(CONFIG), mutate_bytes, _read_config),
    Reader("power-tuning-link", _texts(POWER_TUNING_LINK), mutate_bytes, _read_power_tuning),
    Reader("power-tuning-json", _texts(POWER_TUNING_OUTPUT), mutate_json, _read_power_tuning),
    Reader("prices", _prices, mutate_json, _read_prices),
    Reader("price-list", _texts(PRICE_LIST), mutate_json, _read_price_list),
    Reader("fault-plan", _texts(FAULT_PLAN), mutate_json, _read_fault_plan),
    Reader("simulation", _texts(SIMULATION), mutate_json, _read_simulation),
    Reader("policy", _texts(POLICY), mutate_json, _read_policy),
)

READERS: Mapping[str, Reader] = {reader.name: reader for reader in _ALL}
