"""Other actors, other accounts and bad disks, as processes on the embedded Lambda: what is theirs is not touched, and
what is ours is undone."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.effects.running import (
    Account,
    environment,
    journal_lines,
    make_account,
    make_function,
    samples,
    tuner,
    wait_until,
)
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.model import Report

GOLDEN = Path(__file__).parents[1] / "golden" / "report.json"
LONG = ("--memory", "256,1024", "-n", "500", "--sampling", "fixed", "--payload", '{"wait_s": 0.1}')
ELSEWHERE = "arn:aws:lambda:eu-central-1:999999999999:function:mine"
OWN = "arn:aws:lambda:eu-central-1:000000000000:function:mine"
SECONDS = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1", state_delay_ms=60) as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


@contextmanager
def another_account(folder: Path, *rules: Mapping[str, object]) -> Iterator[Account]:
    """On a server of its own, with these faults."""
    folder.mkdir()
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"faults": rules}))
    with EmbeddedLambda(folder / "server", region="eu-central-1", state_delay_ms=60, fault_plan=plan) as running:
        yield from make_account(running, folder)


def command(account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(tuner(*arguments), env=environment(account.state), capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done


def measuring(account: Account, *arguments: str) -> subprocess.Popen[str]:
    """A run that has begun to measure, on versions 2 and 3."""
    process = account.start(*LONG, *arguments)
    wait_until(lambda: samples(account.state) > 8)
    return process


def ended(process: subprocess.Popen[str], number: signal.Signals) -> str:
    process.send_signal(number)
    _, errors = process.communicate(timeout=SECONDS)
    assert "Traceback" not in errors
    return errors


def descriptions(account: Account) -> list[str]:
    listed = account.client.list_versions_by_function(FunctionName="mine")["Versions"]
    return [version["Description"] for version in listed if version["Version"] != "$LATEST"]


def test_a_version_that_a_pipeline_publishes_just_before_ours_survives_the_run(tmp_path: Path) -> None:
    """Nothing has changed since, so that our own publication answers theirs. Calls of PublishVersion: the one of the
    user's own version, the one that only asks whether it is allowed, and ours."""
    release = {"fault": "foreign-deployment", "operation": "PublishVersion", "calls": [3], "change": "publish"}
    with another_account(tmp_path / "theirs", release) as account:
        done = account.run("--memory", "256", "-n", "2", "--report", str(tmp_path / "r.json"))
        assert done.returncode == 0, done.stderr
        assert descriptions(account) == ["the user's own", "somebody else"]
        assert account.client.get_function_configuration(FunctionName="mine")["MemorySize"] == 512


def test_a_function_made_again_after_a_kill_keeps_its_versions(account: Account, tmp_path: Path) -> None:
    ended(measuring(account), signal.SIGKILL)
    account.client.delete_function(FunctionName="mine")
    make_function(account.client, tmp_path / "mine")
    for number in (2, 3):
        account.client.update_function_configuration(FunctionName="mine", Timeout=5 + number)
        account.client.get_waiter("function_updated_v2").wait(FunctionName="mine", WaiterConfig={"Delay": 0.05})
        account.client.publish_version(FunctionName="mine", Description=f"release {number}")
    before = account.fingerprint()
    recovered = command(account, "recover")
    assert recovered.returncode == 0, recovered.stderr
    assert account.fingerprint() == before
    assert descriptions(account) == ["the user's own", "release 2", "release 3"]


@pytest.mark.parametrize("name", ["run", "apply", "recover"])
def test_an_arn_of_another_account_changes_nothing(account: Account, tmp_path: Path, name: str) -> None:
    """The credentials and the endpoint lead to a function of the same name elsewhere."""
    report = tmp_path / "report.json"
    content = json.loads(GOLDEN.read_text())
    content["target"] |= {"function": "mine", "current": {"memory_mb": 512, "architecture": "x86_64"}}
    content["target"]["code_sha256"] = account.client.get_function_configuration(FunctionName="mine")["CodeSha256"]
    content["recommendation"]["memory_mb"] = 256
    report.write_text(json.dumps(content))
    words = {
        "run": ("run", ELSEWHERE, "--yes", "--memory", "256", "-n", "1"),
        "apply": ("apply", str(report), "--yes", "--function", ELSEWHERE),
        "recover": ("recover", ELSEWHERE),
    }[name]
    before, revision = account.fingerprint(), account.revision()
    done = command(account, *words, "--endpoint-url", account.endpoint_url)
    assert done.returncode == 8
    assert "mine was found in account 000000000000 and not 999999999999" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert (account.fingerprint(), account.revision()) == (before, revision)


def test_a_journal_of_another_account_is_kept_for_its_own_credentials(account: Account) -> None:
    before = account.fingerprint()
    ended(measuring(account), signal.SIGKILL)
    (journal,) = account.state.glob("runs/*/journal.jsonl")
    own = journal.read_text()
    journal.write_text(own.replace(OWN, ELSEWHERE))
    left, revision = account.fingerprint(), account.revision()
    refused = command(account, "recover")
    assert refused.returncode == 7
    assert "999999999999" in refused.stderr
    assert (account.fingerprint(), account.revision()) == (left, revision)
    journal.write_text(journal.read_text().replace(ELSEWHERE, OWN))
    assert command(account, "recover").returncode == 0
    assert account.fingerprint() == before


def test_a_torn_journal_is_recovered_beside_one_that_cannot_be_read(account: Account) -> None:
    before = account.fingerprint()
    ended(measuring(account), signal.SIGKILL)
    (journal,) = account.state.glob("runs/*/journal.jsonl")
    with journal.open("a") as file:
        file.write('{"entry":"memory_ch')
    unreadable = account.state / "runs" / "00000000T000000-000" / "journal.jsonl"
    unreadable.parent.mkdir()
    unreadable.write_text("not a journal\n")
    for _ in range(2):
        recovered = command(account, "recover")
        assert recovered.returncode == 7
        assert str(unreadable) in recovered.stderr
        assert account.fingerprint() == before
    assert '"closed"' in journal.read_text().splitlines()[-1]
    shutil.rmtree(unreadable.parent)
    assert "No run is left to recover" in command(account, "recover").stdout
    assert account.run("--memory", "256", "-n", "1").returncode == 0


def test_a_state_folder_that_is_removed_in_mid_run_does_not_keep_the_function_changed(
    account: Account, tmp_path: Path
) -> None:
    before = account.fingerprint()
    process = measuring(account, "--report", str(tmp_path / "r.json"))
    shutil.rmtree(account.state)
    ended(process, signal.SIGINT)
    assert process.returncode == 130
    assert account.fingerprint() == before
    assert codec.decode((tmp_path / "r.json").read_bytes(), Report).samples


@pytest.mark.parametrize("machines", [1, 2])
def test_of_two_runs_that_begin_at_once_at_most_one_goes_on(account: Account, tmp_path: Path, machines: int) -> None:
    """From one state folder, or from two machines that know of each other by the mark on the function alone."""
    before = account.fingerprint()
    accounts = [replace(account, state=tmp_path / f"machine {number % machines}") for number in range(2)]
    some = ("--memory", "256,1024", "-n", "50", "--sampling", "fixed", "--payload", '{"wait_s": 0.1}')
    processes = [
        one.start(*some, "--report", str(tmp_path / f"{number}.json")) for number, one in enumerate(accounts)
    ]
    errors = [process.communicate(timeout=SECONDS)[1] for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes in ([0, 8], [8, 8]), errors
    assert any("nother" in words or "has not cleaned up" in words for words in errors)
    assert account.fingerprint() == before
    assert "Tags" not in account.client.get_function(FunctionName="mine")


def test_a_function_that_has_no_room_for_our_mark_is_left_alone(account: Account) -> None:
    arn = account.client.get_function_configuration(FunctionName="mine")["FunctionArn"]
    account.client.tag_resource(Resource=arn, Tags={f"tag {number}": "any" for number in range(50)})
    before = account.fingerprint()
    done = account.run("--memory", "256", "-n", "1")
    assert done.returncode == 8
    assert "50 tags" in done.stderr
    assert "--clone" in done.stderr
    assert account.fingerprint() == before
    assert len(account.client.list_tags(Resource=arn)["Tags"]) == 50
    assert '"closed"' in journal_lines(account.state)[-1]


def test_an_alias_on_a_version_of_ours_leaves_that_version_alone_until_the_alias_is_moved(account: Account) -> None:
    before = account.fingerprint()
    process = measuring(account)
    account.client.create_alias(FunctionName="mine", Name="live", FunctionVersion="2")
    try:
        errors = ended(process, signal.SIGINT)
        assert process.returncode == 7
        assert "tuner recover" in errors
        configuration, versions = account.fingerprint()
        assert (configuration, versions) == (before[0], ("$LATEST", "1", "2"))
        still = command(account, "recover")
        assert still.returncode == 7
        assert "live" in still.stderr
        account.client.update_alias(FunctionName="mine", Name="live", FunctionVersion="1")
        assert command(account, "recover").returncode == 0
        assert account.fingerprint() == before
    finally:
        account.client.delete_alias(FunctionName="mine", Name="live")


def test_a_version_that_is_described_like_ours_by_hand_is_left_alone(account: Account) -> None:
    account.client.update_function_configuration(FunctionName="mine", Timeout=6)
    account.client.get_waiter("function_updated_v2").wait(FunctionName="mine", WaiterConfig={"Delay": 0.05})
    account.client.publish_version(FunctionName="mine", Description="tuner run by hand")
    before = account.fingerprint()
    recovered = command(account, "recover", "mine", "--endpoint-url", account.endpoint_url)
    assert recovered.returncode == 0, recovered.stderr
    assert "deleted 0 versions" in recovered.stdout
    assert account.fingerprint() == before


def test_a_killed_run_on_a_function_of_that_name_behind_another_endpoint_blocks_nothing(
    account: Account, tmp_path: Path
) -> None:
    before = account.fingerprint()
    ended(measuring(account), signal.SIGKILL)
    with another_account(tmp_path / "theirs") as other:
        done = replace(other, state=account.state).run("--memory", "256", "-n", "1")
        assert done.returncode == 0, done.stderr
    assert command(account, "recover").returncode == 0
    assert account.fingerprint() == before


def mounts_are_allowed() -> bool:
    probe = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True).returncode == 0


@pytest.mark.skipif(not mounts_are_allowed(), reason="needs a small file system of its own")
def test_a_disk_that_runs_full_in_mid_run_leaves_the_function_as_it_was_and_a_report(
    account: Account, tmp_path: Path
) -> None:
    before, report = account.fingerprint(), tmp_path / "r.json"
    account.state.mkdir()
    small = 'mount -t tmpfs -o size=24k none "$TUNER_STATE_DIR" && exec "$@"'
    run = account.command(*LONG, "--report", str(report))
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", small, "sh", *run],
        env=environment(account.state), capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 8, done.stderr
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr
    assert "TUNER_STATE_DIR" in done.stderr
    assert account.fingerprint() == before
    assert codec.decode(report.read_bytes(), Report).samples
