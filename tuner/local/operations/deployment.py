"""Functions and their versions: reading, creating, changing, publishing, deleting."""

from __future__ import annotations

from typing import Any

from tuner.local import validation
from tuner.local.code import CodeStore
from tuner.local.fleet import Fleet
from tuner.local.functions import Function, FunctionStore, Resolved, Revision
from tuner.local.http import Request, Response, json_response
from tuner.local.identifiers import LATEST, parse_function_name
from tuner.local.operations.view import View, named, page


class Deployment:
    def __init__(
        self, store: FunctionStore, code: CodeStore, fleet: Fleet, *, base_url: str, limits: validation.Limits
    ) -> None:
        self._store = store
        self._limits = limits
        self._code = code
        self._fleet = fleet
        self._base_url = base_url
        self._view = View(store)

    async def get_function(self, request: Request, name: str) -> Response:
        resolved, qualified = self._view.resolve(request, name)
        function = resolved.function
        shape: dict[str, Any] = {
            "Configuration": self._view.configuration(resolved, qualified=qualified),
            "Code": {
                "RepositoryType": "S3",
                "Location": f"{self._base_url}/tuner/code/{resolved.revision.code.key}",
            },
        }
        if function.tags:
            shape["Tags"] = function.tags
        if function.reserved_concurrency is not None:
            shape["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return json_response(shape)

    async def get_function_configuration(self, request: Request, name: str) -> Response:
        resolved, qualified = self._view.resolve(request, name)
        return json_response(self._view.configuration(resolved, qualified=qualified))

    async def list_functions(self, request: Request) -> Response:
        shapes = [
            self._view.configuration(
                Resolved(function=function, version=LATEST, revision=function.latest), qualified=False
            )
            for function in self._store.all()
        ]
        return page(request, "Functions", shapes)

    async def list_versions_by_function(self, request: Request, name: str) -> Response:
        function = self._store.get(parse_function_name(name).name)
        revisions: list[tuple[str, Revision]] = [(LATEST, function.latest)]
        revisions += [(str(number), function.versions[number]) for number in sorted(function.versions)]
        shapes = [
            self._view.configuration(Resolved(function=function, version=version, revision=revision), qualified=True)
            | ({"FunctionArn": f"{self._store.namespace.arn(function.name)}:{LATEST}"} if version == LATEST else {})
            for version, revision in revisions
        ]
        return page(request, "Versions", shapes)

    async def create_function(self, request: Request) -> Response:
        members = validation.json_object(request.body)
        name = parse_function_name(validation.text(members, "FunctionName", "")).name
        settings = validation.created_settings(members, self._limits)
        code = self._code.add(validation.package(validation.structure(members, "Code")))
        publish = validation.flag(members, "Publish")
        function = self._store.create(name, settings, code, validation.tags(members), publish=publish)
        resolved = Resolved(function=function, version=LATEST, revision=function.latest)
        shape = self._view.configuration(resolved, qualified=False)
        return json_response(shape | ({"Version": "1"} if publish else {}), status=201)

    async def update_function_configuration(self, request: Request, name: str) -> Response:
        members = validation.json_object(request.body)
        function = self._store.get(parse_function_name(name).name)
        settings = validation.changed_settings(function.latest.settings, members, self._limits)
        revision_id = validation.optional_text(members, "RevisionId")
        self._store.update(function.name, settings=settings, revision_id=revision_id)
        return self._latest_changed(function.name)

    async def update_function_code(self, request: Request, name: str) -> Response:
        members = validation.json_object(request.body)
        function = self._store.get(parse_function_name(name).name)
        code = self._code.add(validation.package(members))
        settings = validation.for_architecture(function.latest.settings, members, self._limits)
        if members.get("DryRun") is True:
            return self._shown(function)
        self._store.update(
            function.name, settings=settings, code=code, revision_id=validation.optional_text(members, "RevisionId")
        )
        changed = self._latest_changed(function.name)
        if not validation.flag(members, "Publish"):
            return changed
        version, revision = self._store.publish_update(function.name)
        resolved = Resolved(function=function, version=version, revision=revision)
        return json_response(self._view.configuration(resolved, qualified=True))

    async def publish_version(self, request: Request, name: str) -> Response:
        members = validation.json_object(request.body)
        function = self._store.get(parse_function_name(name).name)
        version, revision = self._store.publish(
            function.name,
            description=validation.optional_text(members, "Description"),
            code_sha256=validation.optional_text(members, "CodeSha256"),
            revision_id=validation.optional_text(members, "RevisionId"),
        )
        resolved = Resolved(function=function, version=version, revision=revision)
        return json_response(self._view.configuration(resolved, qualified=True), status=201)

    async def delete_function(self, request: Request, name: str) -> Response:
        target = named(request, name)
        if target.qualifier is None:
            function = self._store.delete(target.name)
        else:
            function = self._store.delete_version(target.name, target.qualifier)
        self._fleet.retire(self._fleet.blueprints(function.uid, version=target.qualifier))
        return Response(status=204)

    def _latest_changed(self, name: str) -> Response:
        """Answer an update; environments of the old ``$LATEST`` are of no use any more."""
        function = self._store.get(name)
        self._fleet.retire(self._fleet.blueprints(function.uid, version=LATEST))
        return self._shown(function)

    def _shown(self, function: Function) -> Response:
        resolved = Resolved(function=function, version=LATEST, revision=function.latest)
        return json_response(self._view.configuration(resolved, qualified=False))
