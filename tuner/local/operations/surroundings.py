"""What surrounds a function: aliases, reserved concurrency, tags, and the account."""

from __future__ import annotations

from dataclasses import replace

from tuner.local import faults, validation, wire
from tuner.local.fleet import Fleet
from tuner.local.functions import Alias, FunctionStore
from tuner.local.http import Request, Response, json_response, query_values
from tuner.local.identifiers import LATEST, parse_function_name
from tuner.local.operations.view import page


class Surroundings:
    def __init__(self, store: FunctionStore, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet

    async def get_account_settings(self, _request: Request) -> Response:
        functions = self._store.all()
        limit = self._fleet.concurrency_limit
        reserved = sum(function.reserved_concurrency or 0 for function in functions)
        return json_response(
            {
                "AccountLimit": {
                    "TotalCodeSize": 322_122_547_200,
                    "CodeSizeUnzipped": 262_144_000,
                    "CodeSizeZipped": 52_428_800,
                    "ConcurrentExecutions": limit,
                    "UnreservedConcurrentExecutions": max(limit - reserved, 0),
                },
                "AccountUsage": {
                    "TotalCodeSize": sum(function.latest.code.size_bytes for function in functions),
                    "FunctionCount": len(functions),
                },
            }
        )

    async def list_mappings(self, request: Request) -> Response:
        """Nothing here can trigger a function."""
        return page(request, "EventSourceMappings", [])

    async def get_no_url(self, request: Request, name: str) -> Response:
        del request
        raise faults.not_found(self._arn(name), "Function URL config")

    async def get_no_policy(self, request: Request, name: str) -> Response:
        del request
        raise faults.not_found(self._arn(name), "Policy")

    def _arn(self, name: str) -> str:
        function = self._store.get(parse_function_name(name).name)
        return self._store.namespace.arn(function.name)

    async def list_aliases(self, request: Request, name: str) -> Response:
        function = self._store.get(parse_function_name(name).name)
        wanted = request.query.get("FunctionVersion")
        shapes = [
            wire.alias(self._store.namespace, function, function.aliases[key])
            for key in sorted(function.aliases)
            if wanted in (None, function.aliases[key].version)
        ]
        return page(request, "Aliases", shapes)

    async def create_alias(self, request: Request, name: str) -> Response:
        members = validation.json_object(request.body)
        wanted = Alias(
            name=validation.alias_name(members),
            version=validation.alias_version(members, None),
            description=validation.text(members, "Description", ""),
            revision_id="",
            weights=validation.weights(members, ()),
        )
        function_name = parse_function_name(name).name
        return self._shown(function_name, self._store.create_alias(function_name, wanted), status=201)

    async def update_alias(self, request: Request, name: str, alias: str) -> Response:
        members = validation.json_object(request.body)
        function = self._store.get(parse_function_name(name).name)
        old = function.aliases.get(alias, Alias(name=alias, version=LATEST, description="", revision_id=""))
        wanted = replace(
            old,
            version=validation.alias_version(members, old.version),
            description=validation.text(members, "Description", old.description),
            weights=validation.weights(members, old.weights),
        )
        revision_id = validation.optional_text(members, "RevisionId")
        value = self._store.update_alias(function.name, wanted, revision_id=revision_id)
        return self._shown(function.name, value, status=200)

    async def get_alias(self, _request: Request, name: str, alias: str) -> Response:
        function = self._store.get(parse_function_name(name).name)
        return json_response(wire.alias(self._store.namespace, function, self._store.alias(function.name, alias)))

    async def delete_alias(self, _request: Request, name: str, alias: str) -> Response:
        self._store.get(parse_function_name(name).name).aliases.pop(alias, None)
        return Response(status=204)

    async def get_function_concurrency(self, _request: Request, name: str) -> Response:
        reserved = self._store.get(parse_function_name(name).name).reserved_concurrency
        return json_response({} if reserved is None else {"ReservedConcurrentExecutions": reserved})

    async def list_provisioned_concurrency(self, request: Request, name: str) -> Response:
        """None is ever provisioned here."""
        self._store.get(parse_function_name(name).name)
        return page(request, "ProvisionedConcurrencyConfigs", [])

    async def put_function_concurrency(self, request: Request, name: str) -> Response:
        wanted = validation.json_object(request.body).get("ReservedConcurrentExecutions")
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
            raise faults.validation(
                wanted, "reservedConcurrentExecutions", "Member must have value greater than or equal to 0"
            )
        self._store.get(parse_function_name(name).name).reserved_concurrency = wanted
        return json_response({"ReservedConcurrentExecutions": wanted})

    async def delete_function_concurrency(self, _request: Request, name: str) -> Response:
        self._store.get(parse_function_name(name).name).reserved_concurrency = None
        return Response(status=204)

    async def list_tags(self, _request: Request, arn: str) -> Response:
        return json_response({"Tags": self._store.get(parse_function_name(arn).name).tags})

    async def tag_resource(self, request: Request, arn: str) -> Response:
        tags = validation.tags(validation.json_object(request.body))
        self._store.tag(parse_function_name(arn).name, tags)
        return Response(status=204)

    async def untag_resource(self, request: Request, arn: str) -> Response:
        self._store.untag(parse_function_name(arn).name, query_values(request.target, "tagKeys"))
        return Response(status=204)

    def _shown(self, function_name: str, alias: Alias, *, status: int) -> Response:
        function = self._store.get(function_name)
        return json_response(wire.alias(self._store.namespace, function, alias), status=status)
