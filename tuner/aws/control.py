"""The control plane over boto3: reads and changes of a function, paced below AWS's limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from asyncio_throttle import Throttler
from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws import copies
from tuner.aws.exposure import CHECKS
from tuner.aws.logs import delete_log_group
from tuner.aws.permissions import OF_COPY, OF_FUNCTION, Probe, granted
from tuner.aws.threads import BlockingCalls
from tuner.aws.translate import error_code, error_message, translated
from tuner.engine.ownership import mark, run_of_mark, run_of_version
from tuner.engine.ports import Conflicted, Exposure, LatestConfiguration, Permission, PublishedVersion
from tuner.errors import (
    CannotTuneError,
    OtherAccountError,
    PermissionsMissingError,
    SizeRefusedError,
    TargetError,
    VersionInUseError,
)
from tuner.model import AccountLimits, Architecture, Copy, FunctionSnapshot, FunctionTarget, Notice

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import GetFunctionResponseTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

T = TypeVar("T")
U = TypeVar("U")

CALLS_PER_SECOND = 12
"""AWS allows 15 control-plane calls a second for the whole account; others need some of them too."""

UNPACED = 1_000
CONTROL_THREADS = 4


class LambdaControlPlane:
    """``engine.ports.ControlPlane`` over a boto3 Lambda client."""

    def __init__(
        self,
        client: LambdaClient,
        *,
        logs: CloudWatchLogsClient | None = None,
        profile: str | None = None,
        calls_per_second: int = CALLS_PER_SECOND,
    ) -> None:
        self._client = client
        self._logs = logs
        self._profile = profile
        self._calls = BlockingCalls("control", CONTROL_THREADS)
        self._pace = Throttler(rate_limit=calls_per_second, period=1.0)

    async def describe(self, target: FunctionTarget) -> FunctionSnapshot:
        name, qualifier = target.name, target.qualifier
        answer, versions = await _both(self._get(name, qualifier), self.list_versions(name))
        _check_target(target, answer["Configuration"]["FunctionArn"])
        runs = {run_of_version(version.description) for version in versions} | _marks(dict(answer)).keys()
        return replace(
            snapshot(dict(answer["Configuration"]), tuple(version.version for version in versions)),
            qualifier=qualifier,
            tuner_runs=tuple(sorted(run for run in runs if run is not None)),
            reserved_concurrency=answer.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        )

    async def limits(self) -> AccountLimits | None:
        try:
            account = (await self._read("the account", self._client.get_account_settings))["AccountLimit"]
        except TargetError:  # not allowed, or an endpoint without that operation
            return None
        return AccountLimits(
            concurrent_executions=account["ConcurrentExecutions"],
            unreserved_concurrent_executions=account["UnreservedConcurrentExecutions"],
        )

    async def exposure(self, function: str) -> Exposure:
        sources: list[str] = []
        unchecked: list[str] = []
        for check in CHECKS:
            try:
                sources.extend(await self._read(function, partial(check, self._client, function)))
            except TargetError:  # not allowed, or an endpoint without that operation: nothing is known then
                unchecked.append(check.__name__.replace("_", " "))
        return Exposure(sources=tuple(sources), unchecked=tuple(unchecked))

    async def permissions(self, function: str, *, revisions: bool, copy: bool = False) -> Sequence[Permission]:
        probes = OF_COPY if copy else OF_FUNCTION
        return await asyncio.gather(*(self._permission(probe, function, revisions=revisions) for probe in probes))

    async def _permission(self, probe: Probe, function: str, *, revisions: bool) -> Permission:
        answer = None
        if revisions or not probe.needs_revisions:
            answer = await self._read(function, lambda: granted(self._client, probe, function))
        return Permission(
            action=probe.action, resource=probe.resource(function), purpose=probe.purpose, granted=answer
        )

    async def provisioned_concurrency(self, function: str) -> int | None:
        def read() -> int:
            pages = self._client.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=function)
            configs = [config for page in pages for config in page["ProvisionedConcurrencyConfigs"]]
            return sum(config.get("RequestedProvisionedConcurrentExecutions", 0) for config in configs)

        try:
            return await self._read(function, read)
        except TargetError:  # not allowed, or an endpoint without that operation
            return None

    async def latest(self, function: str) -> LatestConfiguration:
        found = await self._get(function)
        answer = found["Configuration"]
        return LatestConfiguration(
            arn=answer["FunctionArn"],
            marks=None if dict(found).get("TagsError") else frozenset(_marks(dict(found))),
            memory_mb=answer["MemorySize"],
            revision_id=answer.get("RevisionId"),
            code_sha256=answer["CodeSha256"],
            # Old and emulated services leave the status out: then nothing is in progress.
            settled=answer.get("LastUpdateStatus", "Successful") != "InProgress",
        )

    async def set_memory(self, function: str, memory_mb: int, *, revision_id: str | None) -> None:
        await self._change(
            function,
            lambda: self._client.update_function_configuration(
                FunctionName=function, MemorySize=memory_mb, **_guard(revision_id)
            ),
            memory_mb=memory_mb,
        )

    async def publish(self, function: str, *, revision_id: str | None, description: str) -> PublishedVersion:
        answer = await self._change(
            function,
            lambda: self._client.publish_version(
                FunctionName=function, Description=description, **_guard(revision_id)
            ),
        )
        return _published(dict(answer))

    async def version_ready(self, function: str, version: str) -> bool:
        answer = (await self._get(function, version))["Configuration"]
        state = answer.get("State", "Active")
        if state == "Failed":
            raise CannotTuneError(
                f"Version {version} of {function} could not be made ready: {answer.get('StateReason', 'no reason')}",
                hint="The function as it is deployed has the same problem at this memory size: try fewer sizes.",
            )
        return state != "Pending"

    async def list_versions(self, function: str) -> Sequence[PublishedVersion]:
        def read() -> list[PublishedVersion]:
            pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
            versions = [_published(dict(version)) for page in pages for version in page["Versions"]]
            return [version for version in versions if version.version != "$LATEST"]

        return await self._read(function, read)

    async def marks(self, function: str) -> dict[str, int | None]:
        """The runs whose mark the function carries, with the memory size that each began with."""
        return _marks(dict(await self._get(function)))

    async def mark(self, arn: str, run_id: str, memory_mb: int) -> None:
        tags = {mark(run_id): str(memory_mb)}
        await self._change(arn, lambda: self._client.tag_resource(Resource=arn, Tags=tags))

    async def unmark(self, arn: str, run_id: str) -> None:
        await self._change(arn, lambda: self._client.untag_resource(Resource=arn, TagKeys=[mark(run_id)]))

    async def delete_version(self, function: str, version: str, *, description: str) -> None:
        """Lambda deletes no version on condition: its description, which never changes, is read just before."""
        if not version.isdecimal():  # without a number, DeleteFunction deletes the whole function
            raise AssertionError(f"refusing to delete {function}:{version}")

        def delete() -> None:
            try:
                found = self._client.get_function(FunctionName=function, Qualifier=version)["Configuration"]
                if found.get("Description") == description:
                    self._client.delete_function(FunctionName=function, Qualifier=version)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise

        await self._change(function, delete)

    async def create_copy(self, source: FunctionSnapshot, copy: Copy, *, run_id: str) -> FunctionSnapshot:
        answer = await self._change(source.name, lambda: copies.create(self._client, source, copy, run_id=run_id))
        return snapshot(dict(answer), ())

    async def is_copy(self, name: str, *, run_id: str) -> bool:
        return await self._read(name, lambda: copies.is_copy(self._client, name, run_id=run_id))

    async def copy_ready(self, name: str) -> FunctionSnapshot | None:
        answer = dict((await self._get(name))["Configuration"])
        if answer.get("State") == "Failed":
            raise CannotTuneError(
                f"The copy {name} could not be made ready: {answer.get('StateReason', 'no reason given')}",
                hint="Run this again without --clone and --arch.",
            )
        return None if answer.get("State") == "Pending" else snapshot(answer, ())

    async def delete_copy(self, name: str, *, run_id: str) -> tuple[Notice, ...]:
        deleted = await self._change(name, lambda: copies.delete(self._client, name, run_id=run_id))
        logs = self._logs
        if not deleted or logs is None:
            return ()
        return await self._calls.run_to_end(lambda: delete_log_group(logs, name))

    async def left_over_copies(self) -> list[tuple[str, str]]:
        """Names and runs of the copies in this account and region, whichever machine made them."""
        return await self._read("the account", lambda: copies.left_over(self._client))

    def close(self) -> None:
        self._calls.close()
        self._client.close()

    async def _get(self, function: str, qualifier: str | None = None) -> GetFunctionResponseTypeDef:
        """GetFunction may be called 100 times a second, where all other calls together share 15 (Lambda quotas)."""
        asked: _Asked = {"Qualifier": qualifier} if qualifier else {}
        return await self._read(function, lambda: self._client.get_function(FunctionName=function, **asked))

    async def _read(self, function: str, call: Callable[[], T]) -> T:
        async with self._pace:
            try:
                return await self._calls.run(call)
            except (ClientError, BotoCoreError) as error:
                raise translated(error, function=function, profile=self._profile) from error

    async def _change(self, function: str, call: Callable[[], T], *, memory_mb: int | None = None) -> T:
        async with self._pace:
            try:
                return await self._calls.run_to_end(call)
            except ClientError as error:
                raise self._refused_change(error, function, memory_mb) from error
            except BotoCoreError as error:
                raise translated(error, function=function, profile=self._profile) from error

    def _refused_change(self, error: ClientError, function: str, memory_mb: int | None) -> Exception:
        code = error_code(error)
        if code == "ResourceConflictException" and "alias" in error_message(error).lower():
            return VersionInUseError(
                f"A version of {function} that tuner published is in use: {error_message(error)}",
                hint="Point the alias to another version.",
            )
        if code in ("PreconditionFailedException", "ResourceConflictException"):
            attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
            return Conflicted(error_message(error), repeated=attempts > 0)
        if memory_mb is not None and "memorysize" in error_message(error).lower():
            return SizeRefusedError(
                f"This account may not use {memory_mb} MB: {error_message(error)}",
                hint="Leave that size out of --memory; new accounts get more memory with use.",
            )
        if error.operation_name == "TagResource" and code == "InvalidParameterValueException":
            return CannotTuneError(
                f"{function} cannot be marked as being measured: {error_message(error)}",
                hint="Remove one of its tags (Lambda allows 50), or add --clone to measure a temporary copy.",
            )
        return translated(error, function=function, profile=self._profile)


def _check_target(target: FunctionTarget, arn: str) -> None:
    """Raises OtherAccountError where something else answered than the ARN that was asked for."""
    _, partition, _, region, account, *_ = arn.split(":")
    asked = {"partition": target.partition, "region": target.region, "account": target.account}
    found = {"partition": partition, "region": region, "account": account}
    differing = [name for name, value in asked.items() if value is not None and value != found[name]]
    if differing:
        words = ", ".join(f"{name} {found[name]} and not {asked[name]}" for name in differing)
        raise OtherAccountError(
            f"{target.name} was found in {words}.",
            hint="Nothing was changed. Use credentials (--profile) and an endpoint of the account in the ARN.",
        )


def _marks(answer: Mapping[str, Any]) -> dict[str, int | None]:
    """Marks of runs among the tags of GetFunction's answer, each with its memory size.

    Lambda leaves the tags out where lambda:ListTags is not allowed. Who only looks does not need it; a run finds out
    by not seeing its own mark.
    """
    runs = {run_of_mark(tag): value for tag, value in answer.get("Tags", {}).items()}
    return {run: int(value) if value.isdecimal() else None for run, value in runs.items() if run is not None}


def _guard(revision_id: str | None) -> _Guard:
    """The member that makes a change conditional, where the service has revisions."""
    return {"RevisionId": revision_id} if revision_id is not None else {}


class _Guard(TypedDict, total=False):
    RevisionId: str


class _Asked(TypedDict, total=False):
    Qualifier: str


async def _both(first: Awaitable[T], second: Awaitable[U]) -> tuple[T, U]:
    """Both results. What IAM refuses of them is said at once; else the first error counts."""
    found, others = await asyncio.gather(first, second, return_exceptions=True)
    errors = [one for one in (found, others) if isinstance(one, BaseException)]
    refused = [error for error in errors if isinstance(error, PermissionsMissingError)]
    if len(refused) > 1:
        raise PermissionsMissingError(" ".join(error.message for error in refused), hint=refused[0].hint)
    if errors:
        raise errors[0]
    return cast("T", found), cast("U", others)


def snapshot(configuration: dict[str, Any], versions: tuple[str, ...]) -> FunctionSnapshot:
    """What tuner needs of a function's configuration; its environment variables are left behind here."""
    arn: str = configuration["FunctionArn"]
    return FunctionSnapshot(
        name=configuration["FunctionName"],
        arn=arn,
        region=arn.split(":")[3],
        runtime=configuration.get("Runtime"),
        package_type=configuration.get("PackageType", "Zip"),
        # Lambda had x86_64 only when functions without this member were made.
        architecture=Architecture(configuration.get("Architectures", ["x86_64"])[0]),
        memory_mb=configuration["MemorySize"],
        timeout_s=configuration["Timeout"],
        code_sha256=configuration["CodeSha256"],
        revision_id=configuration.get("RevisionId"),
        state=configuration.get("State"),
        last_update_status=configuration.get("LastUpdateStatus"),
        versions=versions,
        snap_start=configuration.get("SnapStart", {}).get("ApplyOn", "None") != "None",
        managed_instances="CapacityProviderConfig" in configuration,
        durable="DurableConfig" in configuration,
    )


def _published(answer: dict[str, Any]) -> PublishedVersion:
    return PublishedVersion(
        version=answer["Version"], memory_mb=answer["MemorySize"], description=answer.get("Description", "")
    )
