"""The endpoints in, their description as OpenAPI 3.1 out. The schemas are msgspec's, made from the types themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from pipeline.console.api import PREFIX, Endpoint, ProblemAnswer
from pipeline.process import VERSION

REFERENCE: Final = "#/components/schemas/{name}"
ERRORS: Final = {
    "400": "The request cannot be understood; the message names the parameter.",
    "401": "Log in first.",
    "403": "Not allowed: another role, host or origin.",
    "404": "There is no such thing.",
    "409": "It is there already.",
    "410": "The cursor is too old; search again.",
    "413": "The body is too large.",
    "429": "Too many requests; wait as long as Retry-After says.",
    "502": "Elasticsearch refuses the console's log-in.",
    "503": "Elasticsearch or Kafka does not answer.",
}


def describe(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of the endpoints."""
    endpoints = tuple(endpoints)
    types = [ProblemAnswer]
    types += [kind for one in endpoints for kind in (one.answer, one.body) if kind is not None and kind is not bytes]
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    by_type = dict(zip(map(str, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dateline",
            "version": VERSION,
            "description": "Articles, stories, events and alerts: search, figures, exports, live. Times are ISO 8601 in UTC.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
                "browser": {"type": "apiKey", "in": "cookie", "name": "dateline"},
            },
        },
        "security": [{}, {"token": []}, {"password": []}, {"browser": []}],
    }


def _operation(one: Endpoint, by_type: dict[str, Any]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", one.path)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for name in names
    ]
    parameters += [_parameter(field) for field in msgspec.structs.fields(one.query)]
    if one.method != "GET":
        parameters.append(
            {"name": "X-Dateline", "in": "header", "required": True, "schema": {"const": "1"},
             "description": "Says that the request is no form of another site."}
        )  # fmt: skip
    answer: dict[str, Any] = {"description": "The answer."}
    if one.status != 204:
        schema = by_type[str(one.answer)] if one.answer is not None else None
        answer["content"] = {media: {"schema": schema} if schema is not None else {} for media in one.media}
    error = {"application/json": {"schema": by_type[str(ProblemAnswer)]}}
    operation: dict[str, Any] = {
        "summary": one.about,
        "operationId": re.sub(r"\W+", "_", f"{one.method.lower()}{one.path}").strip("_"),
        "parameters": parameters,
        "responses": {
            str(one.status): answer,
            **{status: {"description": text, "content": error} for status, text in ERRORS.items()},
        },
    }
    if one.body is not None:
        if one.body is bytes:
            content = {"application/xml": {"schema": {"type": "string"}}}
        else:
            content = {"application/json": {"schema": by_type[str(one.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameter(field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    schema = msgspec.json.schema(field.type)
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema = choices[0]
    if field.default not in (None, (), "", msgspec.NODEFAULT):
        schema = {**schema, "default": field.default}
    found: dict[str, Any] = {"name": field.name, "in": "query", "required": field.required, "schema": schema}
    if schema.get("type") == "array":
        found |= {"style": "form", "explode": True}
    return found
