from __future__ import annotations

import pytest
from tests.documents.samples import SIGNAL, complaints

from podium.documents.loading import loads
from podium.kinds import KINDS
from podium.signals.signal import PrometheusOrigin, Signal

PROMETHEUS = "  prometheus: {query: 'sum by (namespace, deployment) (rate(http_requests_total[1m]))'}\n"


def test_a_signal_is_missing_after_four_silent_scrapes() -> None:
    (signal,) = loads(SIGNAL.encode(), "s.yaml", KINDS)
    assert isinstance(signal, Signal)
    assert (signal.spec.interval, signal.spec.stale_after, signal.spec.reduce) == (15.0, 60.0, "sum")
    assert (signal.spec.origin_kind, type(signal.spec.origin)) == ("prometheus", PrometheusOrigin)


@pytest.mark.parametrize(
    ("origin", "kind"),
    [("  replay: {column: rps}\n", "replay"), ("  replay: {column: rps, source: monday}\n", "replay")],
)
def test_a_signal_may_come_from_a_recording(origin: str, kind: str) -> None:
    (signal,) = loads(SIGNAL.replace(PROMETHEUS, origin).encode(), "s.yaml", KINDS)
    assert isinstance(signal, Signal)
    assert signal.spec.origin_kind == kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SIGNAL.replace(PROMETHEUS, ""),
            "an origin: one of prometheus, replay, cluster, push and anomaly; got nothing",
        ),
        (SIGNAL + "  replay: {column: a}\n", "nothing here, because the origin is prometheus; got a mapping"),
        (SIGNAL + "  interval: 2m\n", "at least the interval of 120s"),
        (
            SIGNAL.replace(PROMETHEUS, "  cluster: {resource: cpu}\n"),
            'cores, because cpu is measured in cores; got "per_second"',
        ),
        (SIGNAL.replace("per_second\n", "per_seconds\n"), "did you mean per_second?"),
        (SIGNAL + "  staleAfter: 0s\n", "a duration above 0s"),
    ],
)
def test_a_signal_that_could_not_be_measured_is_refused(text: str, said: str) -> None:
    (complaint,) = complaints(text)
    assert said in complaint
