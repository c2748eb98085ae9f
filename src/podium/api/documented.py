"""OpenAPI from the values themselves: msgspec writes the schemas that the routes refer to."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI

from podium.api.problems import Body

_SHOWN: dict[str, type] = {}
_PLACE = "#/components/schemas/"


def returns(kind: type) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with `kind`, or with problems."""
    _SHOWN[kind.__name__] = kind
    return {
        200: {
            "description": (kind.__doc__ or "").strip().partition("\n")[0],
            "content": {"application/json": {"schema": {"$ref": _PLACE + kind.__name__}}},
        },
        "4XX": {
            "description": "What is wrong, all at once.",
            "content": {"application/problem+json": {"schema": {"$ref": _PLACE + Body.__name__}}},
        },
    }


def install(app: FastAPI) -> None:
    """Add the schemas of everything that `returns` named to the application's OpenAPI document."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        _, schemas = msgspec.json.schema_components([*_SHOWN.values(), Body], ref_template=_PLACE + "{name}")
        document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)  # faults are answered with 400 and a problem
        return document

    app.openapi = openapi  # type: ignore[method-assign]
