"""JSON Schemas for editors, and CustomResourceDefinitions for API servers, from the models themselves.

An API server wants *structural* schemas (apiextensions.k8s.io/v1): no references, one type per field, alternatives
only as int-or-string, and `exclusiveMinimum` as a flag beside `minimum`, as in OpenAPI 3.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import podium
from podium.documents.document import GROUP, VERSION, Document
from podium.documents.shape import Shape

WRITTEN_BY = "podium.dev/version"  # which Podium wrote a definition, for whoever compares

_AS_THEY_ARE = (
    "description", "type", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems", "maxProperties",
    "minimum", "maximum", "required", "x-kubernetes-validations",
)  # fmt: skip


def json_schema(model: type[Shape]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what people write, for editors and the reference pages."""
    # Serialization mode writes defaults as people do: `15s`, not 15.0.
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    schema = _without_empty_defaults(schema)
    if issubclass(model, Document):
        # The models know their own kind; a document has to say it.
        schema["required"] = ["apiVersion", "kind", *schema.get("required", [])]
        schema["properties"].pop("status", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def crd(model: type[Document]) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    kind = model.__name__
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "singular": kind.lower(),
        "plural": model.plural,
        "categories": ["podium"],
    }
    if model.short_names:
        names["shortNames"] = list(model.short_names)
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": structural(model)},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            *({"name": name, "type": kind, "jsonPath": path} for name, kind, path in model.columns),
            {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{model.plural}.{GROUP}",
            "annotations": {WRITTEN_BY: podium.__version__, "helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Cluster" if model.cluster_scoped() else "Namespaced",
            "names": names,
            "versions": [version],
        },
    }


def structural(model: type[Document]) -> dict[str, Any]:
    """The structural schema of a kind: spec from its model, metadata left to the API server, status with conditions."""
    schema = json_schema(model)
    spec = _structural(schema["properties"]["spec"], schema.get("$defs", {}))
    return {
        "type": "object",
        "description": schema.get("description", ""),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": STATUS,
        },
    }


def _structural(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    schema = _resolved(schema, defs)
    if schema.get("x-kubernetes-int-or-string"):
        return _int_or_string(schema)
    out = {name: schema[name] for name in _AS_THEY_ARE if name in schema}
    if "const" in schema:
        out["enum"] = [schema["const"]]
    for bound in ("Minimum", "Maximum"):
        if f"exclusive{bound}" in schema:
            out[bound.lower()], out[f"exclusive{bound}"] = schema[f"exclusive{bound}"], True
    if "default" in schema:
        out["default"] = schema["default"]
    if "items" in schema:
        out["items"] = _structural(schema["items"], defs)
    if "properties" in schema:
        out["properties"] = {name: _structural(field, defs) for name, field in schema["properties"].items()}
    elif isinstance(schema.get("additionalProperties"), dict):
        out["additionalProperties"] = _structural(schema["additionalProperties"], defs)
    if "type" not in out:
        raise TypeError(f"no structural schema for {schema}")
    return out


def _resolved(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    """Without the reference and without `or null`; what stands beside either (a description, a default) wins."""
    beside = {name: value for name, value in schema.items() if name not in ("$ref", "anyOf")}
    if "$ref" in schema:
        return {**_resolved(defs[schema["$ref"].rpartition("/")[2]], defs), **beside}
    # The API server drops nulls where a field is not nullable, which is what "left out" means to us.
    others = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(others) == 1:
        return {**_resolved(others[0], defs), **beside}
    return dict(schema)


def _int_or_string(schema: Mapping[str, Any]) -> dict[str, Any]:
    # The alternatives stand in exactly this form, or the API server refuses them. A pattern binds strings alone, and a
    # minimum numbers.
    pattern = next((option["pattern"] for option in schema["anyOf"] if "pattern" in option), None)
    least = next((option["minimum"] for option in schema["anyOf"] if "minimum" in option), None)
    out = {name: schema[name] for name in ("description", "default") if name in schema}
    out |= {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    return out | ({"pattern": pattern} if pattern else {}) | ({} if least is None else {"minimum": least})


def _without_empty_defaults(value: Any) -> Any:
    """Without `default: null`, and without nulls inside defaults: a field without a value is a field left out."""
    if isinstance(value, list):
        return [_without_empty_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {name: _without_empty_defaults(item) for name, item in value.items() if name != "default"}
    if value.get("default") is not None:
        out["default"] = _without_nulls(value["default"])
    return out


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


# metav1.Condition, as the API conventions have it.
STATUS: dict[str, Any] = {
    "type": "object",
    "description": "What Podium makes of it.",
    "properties": {
        "observedGeneration": {
            "type": "integer",
            "format": "int64",
            "description": "The generation the status speaks of.",
        },
        "conditions": {
            "type": "array",
            "description": "What holds and what does not, each with a reason.",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
            "items": {
                "type": "object",
                "required": ["type", "status", "lastTransitionTime", "reason", "message"],
                "properties": {
                    "type": {"type": "string", "maxLength": 316},
                    "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                    "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                    "lastTransitionTime": {"type": "string", "format": "date-time"},
                    "reason": {"type": "string", "minLength": 1, "maxLength": 1024},
                    "message": {"type": "string", "maxLength": 32768},
                },
            },
        },
    },
}
