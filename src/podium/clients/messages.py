"""Protobuf messages described in a few lines: only the fields that are spoken here; all others are passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NUMBERS = {
    "double": 1, "int64": 3, "int32": 5, "fixed64": 6, "bool": 8, "string": 9, "message": 11, "bytes": 12,
    "uint32": 13, "sfixed64": 16,
}  # fmt: skip

# Name, number, type; `[]` before the type repeats it, `?` makes it one whose absence is seen; a message by its name.
Field = tuple[str, int, str]


def built(package: str, described: Mapping[str, Sequence[Field]]) -> dict[str, Any]:
    """The classes of proto3 messages by name. `package` is the caller's alone."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in described.items():
        made = file.message_type.add(name=name)
        for field, number, written in fields:
            kind = written.lstrip("[]?")
            label = 3 if written.startswith("[]") else 1
            one = made.field.add(name=field, number=number, type=NUMBERS.get(kind, NUMBERS["message"]), label=label)
            if kind not in NUMBERS:
                one.type_name = f".{package}.{kind}"
            if written.startswith("?"):
                one.proto3_optional, one.oneof_index = True, len(made.oneof_decl)
                made.oneof_decl.add(name=f"_{field}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in described
    }
