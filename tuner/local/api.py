"""The Lambda REST API: from a request to its operation, and refusals in the shape that botocore expects."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tuner.local import faults, signature
from tuner.local.code import CodeStore
from tuner.local.fault_plan import Chooser, FaultPlan
from tuner.local.fleet import Fleet
from tuner.local.functions import FunctionStore
from tuner.local.http import Request, Response, json_response
from tuner.local.identifiers import parse_function_name
from tuner.local.injection import Execute, Injector
from tuner.local.operations.deployment import Deployment
from tuner.local.operations.invocation import Invocation
from tuner.local.operations.surroundings import Surroundings
from tuner.local.policy import Need, Policy, needs
from tuner.local.signature import AccessKey
from tuner.local.validation import Limits

Operation = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """``name`` is the operation's name in the Lambda API, None for an endpoint of our own, which no fault meets.

    ``pattern`` is a path whose "*" segments become the operation's arguments.
    """

    name: str | None
    method: str
    pattern: tuple[str, ...]
    operation: Operation

    def match(self, request: Request) -> tuple[str, ...] | None:
        if request.method != self.method or len(request.path) != len(self.pattern):
            return None
        pairs = tuple(zip(self.pattern, request.path, strict=True))
        if any(wanted not in ("*", given) for wanted, given in pairs):
            return None
        return tuple(given for wanted, given in pairs if wanted == "*")


class LambdaApi:
    """The table of operations, and three small endpoints of our own below ``/tuner``.

    With a ``key``, every operation must be signed with it; what it may do is what ``policy`` allows. Raises
    PlanError where ``plan`` names an operation that is not in the table.
    """

    def __init__(
        self,
        store: FunctionStore,
        code: CodeStore,
        fleet: Fleet,
        *,
        about: Callable[[], dict[str, Any]],
        base_url: str,
        architectures: frozenset[str],
        plan: FaultPlan | None = None,
        key: AccessKey | None = None,
        policy: Policy | None = None,
        most_memory_mb: int | None = None,
    ) -> None:
        self._key = key
        self._policy = policy
        self._namespace = store.namespace
        self._most_memory_mb = most_memory_mb
        self._code = code
        self._about = about
        self._base_url = base_url
        self._architectures = architectures
        self._routes = self._table(store, fleet)
        operations = [route.name for route in self._routes if route.name is not None]
        self._injector = Injector(Chooser(plan or FaultPlan(), operations), store, code)

    def _table(self, store: FunctionStore, fleet: Fleet) -> tuple[Route, ...]:
        deployment = Deployment(
            store,
            self._code,
            fleet,
            base_url=self._base_url,
            limits=Limits(architectures=self._architectures, most_memory_mb=self._most_memory_mb),
        )
        around = Surroundings(store, fleet)
        invocation = Invocation(store, self._code, fleet)
        functions = ("2015-03-31", "functions")
        one = (*functions, "*")
        reserved = ("2017-10-31", "functions", "*", "concurrency")
        tags = ("2017-03-31", "tags", "*")
        return (
            Route("Invoke", "POST", (*one, "invocations"), invocation.invoke),
            Route("GetFunctionConfiguration", "GET", (*one, "configuration"), deployment.get_function_configuration),
            Route(
                "UpdateFunctionConfiguration",
                "PUT",
                (*one, "configuration"),
                deployment.update_function_configuration,
            ),
            Route("UpdateFunctionCode", "PUT", (*one, "code"), deployment.update_function_code),
            Route("PublishVersion", "POST", (*one, "versions"), deployment.publish_version),
            Route("ListVersionsByFunction", "GET", (*one, "versions"), deployment.list_versions_by_function),
            Route("ListAliases", "GET", (*one, "aliases"), around.list_aliases),
            Route("CreateAlias", "POST", (*one, "aliases"), around.create_alias),
            Route("GetAlias", "GET", (*one, "aliases", "*"), around.get_alias),
            Route("UpdateAlias", "PUT", (*one, "aliases", "*"), around.update_alias),
            Route("DeleteAlias", "DELETE", (*one, "aliases", "*"), around.delete_alias),
            Route("GetFunction", "GET", one, deployment.get_function),
            Route("DeleteFunction", "DELETE", one, deployment.delete_function),
            Route("CreateFunction", "POST", functions, deployment.create_function),
            Route("ListFunctions", "GET", functions, deployment.list_functions),
            Route(
                "GetFunctionConcurrency",
                "GET",
                ("2019-09-30", *reserved[1:]),
                around.get_function_concurrency,
            ),
            Route(
                "ListProvisionedConcurrencyConfigs",
                "GET",
                ("2019-09-30", "functions", "*", "provisioned-concurrency"),
                around.list_provisioned_concurrency,
            ),
            Route("PutFunctionConcurrency", "PUT", reserved, around.put_function_concurrency),
            Route("DeleteFunctionConcurrency", "DELETE", reserved, around.delete_function_concurrency),
            Route("GetAccountSettings", "GET", ("2016-08-19", "account-settings"), around.get_account_settings),
            Route("ListEventSourceMappings", "GET", ("2015-03-31", "event-source-mappings"), around.list_mappings),
            Route("GetFunctionUrlConfig", "GET", ("2021-10-31", "functions", "*", "url"), around.get_no_url),
            Route("GetPolicy", "GET", (*one, "policy"), around.get_no_policy),
            Route("ListTags", "GET", tags, around.list_tags),
            Route("TagResource", "POST", tags, around.tag_resource),
            Route("UntagResource", "DELETE", tags, around.untag_resource),
            Route(None, "GET", ("tuner", "about"), self.about),
            Route(None, "GET", ("tuner", "faults"), self.faults),
            Route(None, "GET", ("tuner", "code", "*"), self.download_code),
        )

    async def handle(self, request: Request) -> Response:
        """Answer one request. What the service would refuse comes back as its error."""
        try:
            route, arguments = self._find(request)
            execute = partial(route.operation, request, *arguments)
            if route.name is None:
                return await execute()
            if self._key is not None:
                signature.check(request, self._key, region=self._namespace.region, now=datetime.now(UTC))
            function = arguments[0] if arguments else None
            permitted = partial(self._execute_permitted, route.name, function, request, execute)
            return await self._injector.call(route.name, function, permitted)
        except faults.ApiError as error:
            return error.response()

    async def _execute_permitted(
        self, operation: str, function: str | None, request: Request, execute: Execute
    ) -> Response:
        """Authorisation comes before everything that looks at a function, as on AWS."""
        if self._policy is None:
            return await execute()
        for need in needs(operation, function, request, self._namespace):
            self._policy.check(need, self._namespace)
        response = await execute()
        return self._without_secret_tags(function, response) if operation == "GetFunction" and function else response

    def _without_secret_tags(self, function: str, response: Response) -> Response:
        """GetFunction shows tags only to callers who may list them, and tells the others why it does not."""
        if self._policy is None or response.status != 200:
            return response
        listing = Need("lambda:ListTags", self._namespace.arn(parse_function_name(function).name))
        try:
            self._policy.check(listing, self._namespace)
        except faults.ApiError as denied:
            shape = json.loads(response.body)
            shape.pop("Tags", None)
            shape["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": str(denied)}
            return json_response(shape)
        return response

    def _find(self, request: Request) -> tuple[Route, tuple[str, ...]]:
        for route in self._routes:
            arguments = route.match(request)
            if arguments is not None:
                return route, arguments
        path = "/".join(request.path)
        raise faults.ApiError(501, "NotImplementedException", f"The embedded Lambda has no {request.method} /{path}.")

    async def about(self, _request: Request) -> Response:
        return json_response(self._about())

    async def faults(self, _request: Request) -> Response:
        """Calls so far by operation, and the injected faults that they met."""
        return json_response(self._injector.seen())

    async def download_code(self, _request: Request, key: str) -> Response:
        package = self._code.read(key)
        if package is None:
            raise faults.not_found(key, "Package")
        return Response(body=package, content_type="application/zip")
