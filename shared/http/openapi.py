"""How a route that reads its body itself is described in /openapi.json."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from shared.http.problem import MEDIA_TYPE, Problem

#: What the `security` of a route refers to.
API_KEY: Final = "apiKey"


def declare_keys(app: FastAPI) -> None:
    """The schema of `app` says what `apiKey` is: how a request shows its API key."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        schema = made()
        described = "A key made by `listeningpost keys create`."
        scheme = {"type": "http", "scheme": "bearer", "description": described}
        schema.setdefault("components", {})["securitySchemes"] = {API_KEY: scheme}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` without references: in OpenAPI they would have to point into the document around it."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:  # noqa: ANN401 - any node of a JSON schema
        if isinstance(node, list):
            return [resolve(child) for child in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            referred = definitions[node["$ref"].rpartition("/")[2]]
            node = {**referred, **{key: value for key, value in node.items() if key != "$ref"}}
        return {key: resolve(value) for key, value in node.items()}

    resolved: dict[str, Any] = resolve(schema)
    return resolved


def refusal(description: str) -> dict[str, Any]:
    """A response that is a problem document."""
    schema = inlined(Problem.model_json_schema())
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
