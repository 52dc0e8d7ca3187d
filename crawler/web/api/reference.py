"""The page that describes the API, made from its OpenAPI document. It needs no script, so the strict policy holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from crawler.web.api.application import API_PATH, get_document
from crawler.web.rendering import PageRenderer

REFERENCE_START = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedValue:
    """A parameter of an operation, or a field of a model. `model` is the name of its type, if that is a model."""

    name: str
    place: str
    type: str
    model: str | None
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedOperation:
    """What one method of one address does."""

    id: str
    method: str
    path: str
    description: str
    parameters: tuple[DescribedValue, ...]
    body: str | None
    answers: tuple[tuple[str, str, str | None], ...]
    """Status, description and model of each answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedModel:
    """The fields of a model, or the values of an enumeration."""

    name: str
    description: str
    fields: tuple[DescribedValue, ...]
    values: tuple[str, ...]


def show_reference(site: PageRenderer, request: Request) -> Response:
    """Return the page of the API."""
    api: FastAPI = request.app.state.api
    document = get_document(api)
    groups: dict[str, list[DescribedOperation]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_describe_operation(path, method, operation))
    models = [_describe_model(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    return site.render(request, "reference.html", info=document["info"], groups=groups, models=models, root=API_PATH)


def _describe_operation(path: str, method: str, operation: dict[str, Any]) -> DescribedOperation:
    return DescribedOperation(
        id=operation["operationId"],
        method=method.upper(),
        path=f"{API_PATH}{path}",
        description=operation["description"],
        parameters=tuple(
            _describe_value(each["name"], each["in"], each["schema"], bool(each.get("required")), each)
            for each in operation.get("parameters", ())
        ),
        body=_find_model(operation.get("requestBody", {})),
        answers=tuple(
            (status, answer["description"], _find_model(answer))
            for status, answer in sorted(operation["responses"].items())
        ),
    )


def _describe_model(name: str, schema: dict[str, Any]) -> DescribedModel:
    required = schema.get("required", ())
    return DescribedModel(
        name=name,
        description=schema.get("description", ""),
        fields=tuple(
            _describe_value(field, "", value, field in required, value)
            for field, value in schema.get("properties", {}).items()
        ),
        values=tuple(map(str, schema.get("enum", ()))),
    )


def _describe_value(
    name: str, place: str, schema: dict[str, Any], is_required: bool, described: dict[str, Any]
) -> DescribedValue:
    return DescribedValue(
        name=name,
        place=place,
        type=" or ".join(dict.fromkeys(_list_types(schema))),
        model=_find_model(schema),
        is_required=is_required,
        description=described.get("description") or schema.get("description", ""),
    )


def _list_types(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the types that a value may have, in words."""
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(REFERENCE_START)
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _list_types(each)
    elif schema.get("type") == "array":
        items = " or ".join(_list_types(schema["items"])) if "items" in schema else "value"
        yield f"list of {items}"
    else:
        yield schema.get("format") or schema.get("type", "any")


def _find_model(value: object) -> str | None:
    """Return the name of the first model that a part of the document refers to, or None."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            return str(value["$ref"]).removeprefix(REFERENCE_START)
        return next((found for each in value.values() if (found := _find_model(each))), None)
    if isinstance(value, list):
        return next((found for each in value if (found := _find_model(each))), None)
    return None
