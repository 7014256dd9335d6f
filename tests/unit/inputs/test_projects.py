"""Projects of every kind: the functions their templates declare."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

from tuner.inputs.projects.found import read_project
from tuner.inputs.projects.starter import Starter, starter_config, starter_of
from tuner.inputs.projects.terraform_show import terraform_show_functions

FILES = Path(__file__).parent / "template_files"
SHOWN = {
    "format_version": "1.0",
    "terraform_version": "1.13.0",
    "values": {
        "root_module": {
            "resources": [
                {
                    "address": "aws_lambda_function.api",
                    "mode": "managed",
                    "type": "aws_lambda_function",
                    "values": {"function_name": "live-api", "memory_size": 512, "runtime": "python3.13"},
                },
                {
                    "address": "data.x",
                    "mode": "data",
                    "type": "aws_lambda_function",
                    "values": {},
                },
                {"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "values": {}},
            ],
            "child_modules": [
                {
                    "resources": [
                        {
                            "address": "module.t.aws_lambda_function.this[0]",
                            "mode": "managed",
                            "type": "aws_lambda_function",
                            "values": {"function_name": "live-thumb", "memory_size": 1024},
                        }
                    ]
                }
            ],
        }
    },
}


def test_every_kind_of_template_is_found_and_other_files_are_left(tmp_path: Path) -> None:
    for name in ("sam-globals.yaml", "serverless-list.yml", "lambda.tf"):
        shutil.copy(FILES / name, tmp_path)
    synthesised = tmp_path / "cdk.out"
    synthesised.mkdir()
    shutil.copy(FILES / "cdk.template.json", synthesised / "Shop.template.json")
    (synthesised / "manifest.json").write_text("{}")
    (tmp_path / "terraform.json").write_text(json.dumps(SHOWN))
    (tmp_path / "compose.yaml").write_text("services: {}")
    ignored = tmp_path / "node_modules" / "x"
    ignored.mkdir(parents=True)
    shutil.copy(FILES / "sam.yaml", ignored)
    project = read_project(tmp_path)
    declared = {(found.template.as_posix(), found.key) for found in project.functions if found.key != "many"}
    assert {
        ("sam-globals.yaml", "Only"),
        ("serverless-list.yml", "only"),
        ("lambda.tf", "api"),
        ("cdk.out/Shop.template.json", "ThumbnailF0AC6E0B"),
        ("terraform.json", "api"),
    } <= declared
    assert {template for template, _ in declared} == {
        "sam-globals.yaml", "serverless-list.yml", "lambda.tf", "cdk.out/Shop.template.json", "terraform.json",
    }  # fmt: skip


def test_a_template_that_cannot_be_read_is_said_and_the_others_count(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("AWS::Lambda::Function: [")
    shutil.copy(FILES / "sam-globals.yaml", tmp_path)
    project = read_project(tmp_path)
    assert [found.key for found in project.functions] == ["Only"]
    [reason] = project.unread
    assert reason.startswith("broken.yaml: The template cannot be read at line 1")


def test_terraform_show_tells_the_deployed_names_of_all_modules() -> None:
    found = [(function.name, function.memory_mb) for function in terraform_show_functions(SHOWN)]
    assert found == [("live-api", 512), ("live-thumb", 1024)]


def test_the_starter_is_toml_whatever_the_names_are(tmp_path: Path) -> None:
    shutil.copy(FILES / "sam.yaml", tmp_path)
    starters = [starter_of(found) for found in read_project(tmp_path).functions]
    odd = Starter(key='a "b".c', remark="one\nline", identifier='x"y\\', local=True)
    twins = (Starter(key="t", remark="", identifier="1"), Starter(key="t", remark="", identifier="2"))
    content = tomllib.loads(starter_config([*starters, odd, *twins]))
    assert content["functions"]['a "b".c'] == {"function": 'x"y\\', "local": True}
    assert content["functions"]["Worker"] == {"function": "orders-worker"}
    assert content["functions"]["Api"] == {}
    assert (content["functions"]["t-1"]["function"], content["functions"]["t-2"]["function"]) == ("1", "2")
