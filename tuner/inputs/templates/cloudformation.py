"""Functions of CloudFormation and SAM templates, as YAML or JSON.

Where a memory size stands: in the function's MemorySize; in the default of a parameter or a mapping that it refers
to; in SAM's Globals; or nowhere (Lambda's default of 128 MB), and then it is added to the function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tuner.inputs.templates.found import Accepted, NoPlace, Place, TemplateError, TemplateFunction, refuse_too_many
from tuner.inputs.templates.yaml_places import new_number, number_at, number_place
from tuner.inputs.templates.yaml_tree import Document, Mapping, Node, Scalar, Sequence, parse_document

SERVERLESS_FUNCTION = "AWS::Serverless::Function"
FUNCTION_TYPES = {SERVERLESS_FUNCTION, "AWS::Lambda::Function"}
DEFAULT_MB = 128
MEMORY = "MemorySize"

_VARIABLE = re.compile(r"\$\{[^!}][^}]*\}")


def cloudformation_functions(text: str) -> tuple[TemplateFunction, ...]:
    """The functions in the order of the template. TemplateError where ``text`` is no template."""
    document = parse_document(text)
    resources = document.mapping(document.at("Resources"))
    if resources is None:
        raise TemplateError(
            "This is no CloudFormation template: it has no Resources.", hint="Give the file that declares them."
        )
    found = [
        (logical_id, resource)
        for logical_id, value in resources.items()
        if (resource := document.mapping(value)) is not None and document.text_at(resource, "Type") in FUNCTION_TYPES
    ]
    refuse_too_many(len(found))
    reader = _Reader(document, resources)
    return tuple(reader.function(logical_id, resource) for logical_id, resource in found)


class _Reader:
    def __init__(self, document: Document, resources: Mapping) -> None:
        self._document = document
        self._resources = resources

    def function(self, logical_id: str, resource: Mapping) -> TemplateFunction:
        document = self._document
        properties = document.mapping(resource.get("Properties"))
        place, memory_mb = self._memory(resource, properties)
        return TemplateFunction(
            resource=logical_id,
            line=resource.line,
            place=place,
            memory_mb=memory_mb,
            name=self._name(properties),
            runtime=document.text_at(properties, "Runtime") or self._global_text(resource, "Runtime"),
            handler=document.text_at(properties, "Handler") or self._global_text(resource, "Handler"),
            code=document.text_at(properties, "CodeUri") or self._global_text(resource, "CodeUri"),
        )

    def _memory(self, resource: Mapping, properties: Mapping | None) -> tuple[Place | NoPlace, int | None]:
        """Where the size stands and what it is."""
        if properties is None:
            return NoPlace(reason="the function has no properties", line=resource.line), None
        function, _ = _intrinsic(properties)
        if function is not None:
            return NoPlace(reason=f"its properties come from {function}", line=properties.line), None
        own = properties.get(MEMORY)
        if own is not None:
            return self._value(own, "its own MemorySize")
        return self._inherited(resource, properties)

    def _inherited(self, resource: Mapping, properties: Mapping) -> tuple[Place | NoPlace, int | None]:
        """For a function without a size of its own: from a merge key, from Globals, or Lambda's default."""
        merged = self._document.inherited(properties, MEMORY)
        if merged is not None:
            return new_number(self._document, properties, MEMORY), number_at(self._document, merged)
        shared = self._global(MEMORY) if self._is_serverless(resource) else None
        if shared is None:
            return new_number(self._document, properties, MEMORY), DEFAULT_MB
        place, memory_mb = self._value(shared, "the MemorySize of Globals")
        if self._inheriting() > 1:
            return new_number(self._document, properties, MEMORY), memory_mb
        return place, memory_mb

    def _value(self, node: Node, says: str) -> tuple[Place | NoPlace, int | None]:
        function, argument = _intrinsic(node)
        if function is None:
            return number_place(self._document, node, says), number_at(self._document, node)
        if function == "Ref" and isinstance(argument, Scalar):
            return self._parameter(argument.value, node)
        if function == "Fn::FindInMap" and isinstance(argument, Sequence):
            return self._mapped(argument, node)
        return NoPlace(reason=f"it comes from {function}", line=node.line), None

    def _parameter(self, name: str, node: Node) -> tuple[Place | NoPlace, int | None]:
        document = self._document
        parameter = document.mapping(document.at("Parameters", name))
        default = parameter.get("Default") if parameter else None
        if parameter is None or default is None:
            return NoPlace(reason=f"it comes from {name}, which has no default here", line=node.line), None
        memory_mb = number_at(document, default)
        lines = [use.line for use in self._references(name) if use is not node]
        if lines:
            also = ", ".join(map(str, lines))
            return NoPlace(reason=f"the parameter {name} is used in line {also} as well", line=node.line), memory_mb
        place = number_place(document, default, f"the default of the parameter {name}")
        if isinstance(place, Place):
            place = replace(place, accepted=self._accepted(parameter), remark=_keeps_its_value(name))
        return place, memory_mb

    def _mapped(self, keys: Sequence, node: Node) -> tuple[Place | NoPlace, int | None]:
        path = [key.value for key in keys.items if isinstance(key, Scalar) and key.tag is None]
        if len(path) != len(keys.items):
            return NoPlace(reason="which entry of Mappings it takes depends on the deployment", line=node.line), None
        found = self._document.at("Mappings", *path)
        if found is None:
            return NoPlace(reason=f"Mappings has no {' / '.join(path)}", line=node.line), None
        if len(list(self._lookups(path))) > 1:
            reason = f"the entry {' / '.join(path)} of Mappings is used elsewhere as well"
            return NoPlace(reason=reason, line=node.line), number_at(self._document, found)
        place = number_place(self._document, found, f"the entry {' / '.join(path)} of Mappings")
        return place, number_at(self._document, found)

    def _references(self, name: str) -> Iterator[Node]:
        """Every use of a parameter: Ref in both its forms, and ``${Name}`` in a Sub."""
        for node in self._document.everything():
            function, argument = _intrinsic(node)
            referred = function == "Ref" and isinstance(argument, Scalar) and argument.value == name
            if referred or (isinstance(node, Scalar) and f"${{{name}}}" in node.value):
                yield node

    def _lookups(self, path: list[str]) -> Iterator[Node]:
        """Uses that reach the same entry of Mappings, or may: with a key that is not written out."""
        for node in self._document.everything():
            function, argument = _intrinsic(node)
            if function == "Fn::FindInMap" and isinstance(argument, Sequence) and len(argument.items) == len(path):
                pairs = zip(argument.items, path, strict=True)
                if all(not isinstance(key, Scalar) or key.tag or key.value == wanted for key, wanted in pairs):
                    yield node

    def _accepted(self, parameter: Mapping) -> Accepted:
        document = self._document
        allowed = document.follow(parameter.get("AllowedValues"))
        values = allowed.items if isinstance(allowed, Sequence) else ()
        numbers = (number_at(document, value) for value in values)
        return Accepted(
            values=tuple(number for number in numbers if number is not None),
            least=number_at(document, parameter.get("MinValue")),
            most=number_at(document, parameter.get("MaxValue")),
        )

    def _name(self, properties: Mapping | None) -> str | None:
        node = self._document.follow(properties.get("FunctionName")) if properties else None
        if node is None:
            return None
        function, argument = _intrinsic(node)
        if function is None:
            return node.value if isinstance(node, Scalar) else "*"
        if function == "Fn::Sub" and isinstance(argument, Scalar):
            return _VARIABLE.sub("*", argument.value)
        return "*"

    def _is_serverless(self, resource: Mapping) -> bool:
        return self._document.text_at(resource, "Type") == SERVERLESS_FUNCTION

    def _global(self, key: str) -> Node | None:
        return self._document.at("Globals", "Function", key)

    def _global_text(self, resource: Mapping, key: str) -> str | None:
        shared = self._document.mapping(self._document.at("Globals", "Function"))
        return self._document.text_at(shared, key) if self._is_serverless(resource) else None

    def _inheriting(self) -> int:
        """Functions that take the size of Globals."""
        found = (self._document.mapping(value) for _, value in self._resources.items())
        serverless = [resource for resource in found if resource is not None and self._is_serverless(resource)]
        bodies = (self._document.mapping(resource.get("Properties")) for resource in serverless)
        return sum(1 for body in bodies if body is None or body.get(MEMORY) is None)


def _intrinsic(node: Node) -> tuple[str | None, Node | None]:
    """The function that a value is the result of, and its argument: ``!Ref X`` and ``{"Ref": "X"}`` alike."""
    if node.tag is not None and node.tag.startswith("!"):
        name = node.tag.removeprefix("!")
        return ("Ref" if name == "Ref" else f"Fn::{name}"), node
    if isinstance(node, Mapping) and len(node.pairs) == 1:
        [(key, value)] = node.pairs
        if isinstance(key, Scalar) and (key.value == "Ref" or key.value.startswith("Fn::")):
            return key.value, value
    return None, None


def _keeps_its_value(name: str) -> str:
    return (
        f"A stack that exists keeps its value of {name} unless the deployment overrides it: check samconfig.toml and "
        "--parameter-overrides."
    )
