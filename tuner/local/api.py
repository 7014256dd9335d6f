"""The Lambda REST API: from a request to its operation, and refusals in the shape that botocore expects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tuner.local import faults
from tuner.local.code import CodeStore
from tuner.local.fleet import Fleet
from tuner.local.functions import FunctionStore
from tuner.local.http import Request, Response, json_response
from tuner.local.operations.deployment import Deployment
from tuner.local.operations.invocation import Invocation
from tuner.local.operations.surroundings import Surroundings

Operation = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """``pattern`` is a path whose "*" segments become the operation's arguments."""

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
    """The table of operations, and two small endpoints of our own below ``/tuner``."""

    def __init__(
        self,
        store: FunctionStore,
        code: CodeStore,
        fleet: Fleet,
        *,
        about: Callable[[], dict[str, Any]],
        base_url: str,
    ) -> None:
        self._code = code
        self._about = about
        self._base_url = base_url
        self._routes = self._table(store, fleet)

    def _table(self, store: FunctionStore, fleet: Fleet) -> tuple[Route, ...]:
        deployment = Deployment(store, self._code, fleet, base_url=self._base_url)
        surroundings = Surroundings(store, fleet)
        invocation = Invocation(store, self._code, fleet)
        functions = ("2015-03-31", "functions")
        one = (*functions, "*")
        return tuple(
            Route(method, pattern, operation)
            for method, pattern, operation in (
                ("POST", (*one, "invocations"), invocation.invoke),
                ("GET", (*one, "configuration"), deployment.get_function_configuration),
                ("PUT", (*one, "configuration"), deployment.update_function_configuration),
                ("PUT", (*one, "code"), deployment.update_function_code),
                ("POST", (*one, "versions"), deployment.publish_version),
                ("GET", (*one, "versions"), deployment.list_versions_by_function),
                ("GET", (*one, "aliases"), surroundings.list_aliases),
                ("POST", (*one, "aliases"), surroundings.create_alias),
                ("GET", (*one, "aliases", "*"), surroundings.get_alias),
                ("PUT", (*one, "aliases", "*"), surroundings.update_alias),
                ("DELETE", (*one, "aliases", "*"), surroundings.delete_alias),
                ("GET", one, deployment.get_function),
                ("DELETE", one, deployment.delete_function),
                ("POST", functions, deployment.create_function),
                ("GET", functions, deployment.list_functions),
                ("GET", ("2019-09-30", "functions", "*", "concurrency"), surroundings.get_function_concurrency),
                ("PUT", ("2017-10-31", "functions", "*", "concurrency"), surroundings.put_function_concurrency),
                ("DELETE", ("2017-10-31", "functions", "*", "concurrency"), surroundings.delete_function_concurrency),
                ("GET", ("2016-08-19", "account-settings"), surroundings.get_account_settings),
                ("GET", ("2017-03-31", "tags", "*"), surroundings.list_tags),
                ("POST", ("2017-03-31", "tags", "*"), surroundings.tag_resource),
                ("GET", ("tuner", "about"), self.about),
                ("GET", ("tuner", "code", "*"), self.download_code),
            )
        )

    async def handle(self, request: Request) -> Response:
        """Answer one request. What the service would refuse comes back as its error."""
        try:
            operation, arguments = self._find(request)
            return await operation(request, *arguments)
        except faults.ApiError as error:
            return error.response()

    def _find(self, request: Request) -> tuple[Operation, tuple[str, ...]]:
        for route in self._routes:
            arguments = route.match(request)
            if arguments is not None:
                return route.operation, arguments
        path = "/".join(request.path)
        raise faults.ApiError(501, "NotImplementedException", f"The embedded Lambda has no {request.method} /{path}.")

    async def about(self, _request: Request) -> Response:
        return json_response(self._about())

    async def download_code(self, _request: Request, key: str) -> Response:
        package = self._code.read(key)
        if package is None:
            raise faults.not_found(key, "Package")
        return Response(body=package, content_type="application/zip")
