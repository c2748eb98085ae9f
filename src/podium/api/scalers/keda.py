"""KEDA's external scaler (externalscaler.proto beside this file) over gRPC: the replicas that Podium wants.

The trigger's metadata names the workload, as in `workload: web`; its namespace is the ScaledObject's. The target is
one, so that the HPA which KEDA makes goes to the very number. What is not known is an error: KEDA then keeps what it
has, or follows the ScaledObject's own `fallback`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from podium.clients.kubernetes.selectors import Requirement, Selector
from podium.loop.modes.board import METRIC, Absent, Board, Unasked, Wanted

if TYPE_CHECKING:
    import grpc

SERVICE = "externalscaler.ExternalScaler"
KNOWN = ("workload", "kind", "group", "cluster")  # of a trigger's metadata
OTHERS = ("scalerAddress", "caCert", "tlsCertFile", "tlsClientCert", "tlsClientKey", "unsafeSsl", "enableTLS")
AGAIN_SECONDS = 5.0  # between two looks of a stream at a board that says nothing new


def named(metadata: Mapping[str, str]) -> Selector:
    """The workload of a trigger's metadata. Raises ValueError that says what is wrong with it."""
    unknown = sorted(set(metadata) - set(KNOWN) - set(OTHERS))
    if unknown or not metadata.get("workload"):
        got = f"unknown {', '.join(unknown)}" if unknown else "no workload"
        raise ValueError(f"metadata: expected workload, and kind or group where it is not the only one; got {got}")
    return Selector(tuple(Requirement(key, "In", frozenset({metadata[key]})) for key in KNOWN if key in metadata))


class Scaler:
    """Answers KEDA from a board."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def serve(self, listen: str, certificate: tuple[bytes, bytes] | None, client_ca: bytes | None) -> None:
        """Answer until cancelled; TLS where there is a `certificate` (key, chain). Raises RuntimeError, OSError."""
        from grpc import aio, ssl_server_credentials

        server = aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((self._handlers(),))
        if certificate is None:
            bound = server.add_insecure_port(listen)
        else:
            bound = server.add_secure_port(
                listen, ssl_server_credentials([certificate], client_ca, require_client_auth=client_ca is not None)
            )
        if not bound:
            raise OSError(f"{listen} cannot be listened on")
        await server.start()
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop(1.0)

    def _handlers(self) -> Any:
        import grpc

        reference, asked = messages()["ScaledObjectRef"], messages()["GetMetricsRequest"]

        def unary(do: Callable[[Any, Any], Awaitable[Any]], request: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(do, request.FromString, _serialized)

        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "IsActive": unary(self._is_active, reference),
                "GetMetricSpec": unary(self._metric_spec, reference),
                "GetMetrics": unary(self._metrics, asked),
                "StreamIsActive": grpc.unary_stream_rpc_method_handler(
                    self._stream_is_active, reference.FromString, _serialized
                ),
            },
        )

    async def _is_active(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        wanted = await self._wanted(request, context)
        return messages()["IsActiveResponse"](result=wanted.replicas > 0)

    async def _stream_is_active(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        """A message whenever it turns. What is not known is not said: the stream stays open and silent."""
        selector, last = await self._selector(request, context), None
        while True:
            try:
                active = self._board.ask(request.namespace, selector).replicas > 0
            except (Absent, Unasked):
                active = None
            if active is not None and active != last:
                last = active
                yield messages()["IsActiveResponse"](result=active)
            await self._board.changed(AGAIN_SECONDS)

    async def _metric_spec(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        await self._selector(request, context)
        spec = messages()["MetricSpec"](metricName=METRIC, targetSize=1, targetSizeFloat=1.0)
        return messages()["GetMetricSpecResponse"](metricSpecs=[spec])

    async def _metrics(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        wanted = await self._wanted(request.scaledObjectRef, context)
        value = messages()["MetricValue"](
            metricName=request.metricName or METRIC,
            metricValue=wanted.replicas,
            metricValueFloat=float(wanted.replicas),
        )
        return messages()["GetMetricsResponse"](metricValues=[value])

    async def _selector(self, reference: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Selector:
        import grpc

        try:
            return named(dict(reference.scalerMetadata))
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"podium: {error}")
            raise

    async def _wanted(self, reference: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Wanted:
        import grpc

        selector = await self._selector(reference, context)
        try:
            return self._board.ask(reference.namespace, selector)
        except Unasked as error:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"podium: {error}")
            raise
        except Absent as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"podium: {error}")
            raise


def _serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())


@functools.cache
def messages() -> dict[str, Any]:
    """The messages of externalscaler.proto by name; a test compares them with what protoc makes of the file."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    double, int64, boolean, string, message = 1, 3, 8, 9, 11
    fields: dict[str, list[tuple[str, int, int, str, bool]]] = {
        "ScaledObjectRef": [
            ("name", 1, string, "", False),
            ("namespace", 2, string, "", False),
            ("scalerMetadata", 3, message, "ScaledObjectRef.ScalerMetadataEntry", True),
        ],
        "IsActiveResponse": [("result", 1, boolean, "", False)],
        "GetMetricSpecResponse": [("metricSpecs", 1, message, "MetricSpec", True)],
        "MetricSpec": [
            ("metricName", 1, string, "", False),
            ("targetSize", 2, int64, "", False),
            ("targetSizeFloat", 3, double, "", False),
        ],
        "GetMetricsRequest": [
            ("scaledObjectRef", 1, message, "ScaledObjectRef", False),
            ("metricName", 2, string, "", False),
        ],
        "GetMetricsResponse": [("metricValues", 1, message, "MetricValue", True)],
        "MetricValue": [
            ("metricName", 1, string, "", False),
            ("metricValue", 2, int64, "", False),
            ("metricValueFloat", 3, double, "", False),
        ],
    }
    file = descriptor_pb2.FileDescriptorProto(name="podium/keda.proto", package="externalscaler", syntax="proto3")
    for name, members in fields.items():
        described = file.message_type.add(name=name)
        for field, number, kind, inner, repeated in members:
            added = described.field.add(name=field, number=number, type=kind, label=3 if repeated else 1)
            if inner:
                added.type_name = f".externalscaler.{inner}"
    entry = file.message_type[0].nested_type.add(name="ScalerMetadataEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=string, label=1)
    entry.field.add(name="value", number=2, type=string, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"externalscaler.{name}")) for name in fields
    }
