"""KEDA's external scaler, asked by a client that protoc made of our own proto file."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import podium
from podium.api.scalers.keda import messages
from podium.api.scalers.serving import opened
from podium.loop.modes.board import Board, Wanted
from podium.loop.modes.settings import MetricSettings
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
PROTO = Path(podium.__file__).parent / "api" / "scalers" / "externalscaler.proto"


@pytest.fixture
def described(tmp_path: Path) -> Any:
    """The file as protoc reads it."""
    from google.protobuf import descriptor_pb2
    from grpc_tools import protoc

    found = tmp_path / "set.pb"
    assert protoc.main(["protoc", f"-I{PROTO.parent}", f"--descriptor_set_out={found}", str(PROTO)]) == 0
    return descriptor_pb2.FileDescriptorSet.FromString(found.read_bytes()).file[0]


def shape(message: Any) -> list[tuple[str, int, int, int, str]]:
    return sorted((one.name, one.number, one.type, one.label, one.type_name) for one in message.field)


def test_our_messages_are_those_of_the_proto_file(described: Any) -> None:
    from google.protobuf import descriptor_pb2

    ours = descriptor_pb2.FileDescriptorProto()
    messages()["MetricSpec"].DESCRIPTOR.file.CopyToProto(ours)
    assert {one.name: shape(one) for one in ours.message_type} == {
        one.name: shape(one) for one in described.message_type
    }
    (entry,), (same,) = (
        [one.nested_type[0] for one in file.message_type if one.nested_type] for file in (ours, described)
    )
    assert (entry.options.map_entry, shape(entry)) == (same.options.map_entry, shape(same))


def test_the_service_has_kedas_four_questions(described: Any) -> None:
    (service,) = described.service
    assert [(one.name, one.server_streaming) for one in service.method] == [
        ("IsActive", False), ("StreamIsActive", True), ("GetMetricSpec", False), ("GetMetrics", False),
    ]  # fmt: skip
    assert f"{described.package}.{service.name}" == "externalscaler.ExternalScaler"


@pytest.fixture
def board() -> Board:
    board = Board(45.0)
    board.say({WEB: Wanted(WEB, 7, 1_800_000_000.0)})
    return board


@pytest.fixture
async def channel(board: Board) -> AsyncIterator[grpc.aio.Channel]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        listen = f"127.0.0.1:{held.getsockname()[1]}"

    async def ask() -> str:
        return ""

    async with (
        opened(MetricSettings(keda=listen), board, "unused", ask, 0.0),
        grpc.aio.insecure_channel(listen) as channel,
    ):
        yield channel


def reference(**metadata: str) -> Any:
    return messages()["ScaledObjectRef"](name="web", namespace="shop", scalerMetadata=metadata)


async def ask(channel: grpc.aio.Channel, method: str, request: Any, answer: str) -> Any:
    call = channel.unary_unary(
        f"/externalscaler.ExternalScaler/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=messages()[answer].FromString,
    )
    return await call(request, timeout=10)


async def test_keda_is_told_the_number_and_a_target_of_one(channel: grpc.aio.Channel) -> None:
    web = reference(workload="web", scalerAddress="podium:6000")
    spec = await ask(channel, "GetMetricSpec", web, "GetMetricSpecResponse")
    request = messages()["GetMetricsRequest"](scaledObjectRef=web, metricName="podium-replicas")
    told = await ask(channel, "GetMetrics", request, "GetMetricsResponse")
    assert [(one.metricName, one.targetSize, one.targetSizeFloat) for one in spec.metricSpecs] == [
        ("podium-replicas", 1, 1.0)
    ]
    assert [(one.metricName, one.metricValue, one.metricValueFloat) for one in told.metricValues] == [
        ("podium-replicas", 7, 7.0)
    ]
    assert (await ask(channel, "IsActive", web, "IsActiveResponse")).result is True


async def test_what_is_not_known_is_an_error_and_neither_zero_nor_inactive(
    channel: grpc.aio.Channel, board: Board
) -> None:
    board.say({WEB: "none of its signals is known"})
    for method, request, answer in (
        ("IsActive", reference(workload="web"), "IsActiveResponse"),
        ("GetMetrics", messages()["GetMetricsRequest"](scaledObjectRef=reference(workload="web")),
         "GetMetricsResponse"),
    ):  # fmt: skip
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(channel, method, request, answer)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "none of its signals is known" in (refused.value.details() or "")


@pytest.mark.parametrize(
    ("metadata", "code", "words"),
    [
        ({}, grpc.StatusCode.INVALID_ARGUMENT, "got no workload"),
        ({"workload": "web", "nmae": "x"}, grpc.StatusCode.INVALID_ARGUMENT, "got unknown nmae"),
        ({"workload": "cart"}, grpc.StatusCode.NOT_FOUND, "there: web"),
    ],
)
async def test_wrong_metadata_is_answered_with_what_was_expected(
    channel: grpc.aio.Channel, metadata: dict[str, str], code: grpc.StatusCode, words: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask(channel, "IsActive", reference(**metadata), "IsActiveResponse")
    assert (refused.value.code(), words in (refused.value.details() or "")) == (code, True)


async def test_a_stream_says_what_turns_and_is_silent_while_nothing_is_known(
    channel: grpc.aio.Channel, board: Board
) -> None:
    board.say({WEB: "none of its signals is known"})
    call = channel.unary_stream(
        "/externalscaler.ExternalScaler/StreamIsActive",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=messages()["IsActiveResponse"].FromString,
    )(reference(workload="web"))
    reading = asyncio.ensure_future(call.read())
    await asyncio.sleep(0.2)
    silent = not reading.done()
    board.say({WEB: Wanted(WEB, 3, 1.0)})
    assert (silent, (await asyncio.wait_for(reading, 5)).result) == (True, True)
    call.cancel()
