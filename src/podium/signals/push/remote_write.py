"""Prometheus remote write 1.0: a WriteRequest in protobuf. https://prometheus.io/docs/specs/prw/remote_write_spec/

Labels are decoded once for each series, and known again by their bytes; samples are decoded all together.
Exemplars, native histograms and metadata are passed over.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from podium.clients import messages, remote_read
from podium.model.arrays import Float64s, Int64s
from podium.signals.push.batch import Batch, Labels, Malformed, labels_of


class Decoder:
    """Decodes requests, and remembers the labels of up to `most` series by their bytes. Safe in several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[tuple[bytes, ...], Labels] = {}

    def decode(self, content: bytes) -> Batch:
        """The batch of one request, its snappy block undone. Raises Malformed."""
        from google.protobuf.message import DecodeError

        series: list[Labels] = []
        encoded: list[bytes] = []
        counts: list[int] = []
        try:
            for number, one in enumerate(_messages()["WriteRequest"].FromString(content).timeseries):
                series.append(self._labels(tuple(one.labels), number))
                samples = one.samples
                encoded += samples
                counts.append(len(samples))
            at, value = _samples(encoded)
        except (DecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"the body is not a prometheus.WriteRequest ({error})") from error
        row: Int64s = np.repeat(np.arange(len(series)), counts)
        return Batch(series, np.zeros(len(series), np.bool_), row, at, value)

    def _labels(self, encoded: tuple[bytes, ...], number: int) -> Labels:
        known = self._known.get(encoded)
        if known is None:
            label = _messages()["Label"].FromString
            pairs = [(one.name, one.value) for one in map(label, encoded)]
            known = labels_of(pairs, f"timeseries[{number}]")
            if len(self._known) >= 2 * self._most:
                self._known = {}
            self._known[encoded] = known
        return known


def _samples(encoded: list[bytes]) -> tuple[Float64s, Float64s]:
    try:
        return remote_read.decoded(encoded)
    except ValueError:
        pass  # fields in another order than everybody writes them, which protobuf allows
    sample = _messages()["Sample"].FromString
    found = [sample(one) for one in encoded]
    at = np.array([one.timestamp for one in found], np.float64) / 1000
    return at, np.array([one.value for one in found], np.float64)


@functools.cache
def _messages() -> dict[str, Any]:
    """Those of prometheus/prompb/remote.proto; labels and samples as their bytes."""
    return messages.built(
        "podium.remote_write",
        {
            "Label": [("name", 1, "string"), ("value", 2, "string")],
            "Sample": [("value", 1, "double"), ("timestamp", 2, "int64")],
            "TimeSeries": [("labels", 1, "[]bytes"), ("samples", 2, "[]bytes")],
            "WriteRequest": [("timeseries", 1, "[]TimeSeries")],
        },
    )
