"""What a tuned policy promised, kept in its own document, and whether it was kept since.

The promise is an annotation: what the days that did not choose the settings came to, and when that was. Weeks later the
recorded course is compared with it; settings that did worse are to be withdrawn.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import json
from typing import Any

import msgspec
import numpy as np
import yaml

from podium.loop.backtest.likely import draws, likely
from podium.loop.backtest.lived import Lived
from podium.loop.backtest.run import Field, Rules, Unfit
from podium.loop.backtest.score import Score
from podium.loop.backtest.trace import DAY, MINUTE
from podium.loop.backtest.tune import Tuned
from podium.loop.policy import ScalingPolicy
from podium.model.clock import rfc3339

ANNOTATION = "podium.dev/tuned"
SLACK = 1.05  # of the promised cost: a twentieth is no broken promise
FEWEST_DAYS = 2


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What was promised."""

    at: float  # Unix seconds
    risk: float  # asked
    unserved: float  # share of the load, at most
    cost: float  # over the oracle's, at most
    before: dict[str, Any]  # path -> what stood there: how to withdraw it
    after: dict[str, Any] = {}  # path -> what was applied: what somebody changed since is left to them


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A promise beside what happened."""

    promise: Promise
    since: Score
    days: int
    broken: tuple[str, ...]  # what did worse, in words

    @property
    def words(self) -> str:
        """In a sentence."""
        if not self.broken:
            return f"Over {self.days} days since it was tuned, it kept what was promised."
        return f"Over {self.days} days since it was tuned, it did worse: {'; '.join(self.broken)}."


def plain(document: ScalingPolicy) -> dict[str, Any]:
    """A document as somebody would write it."""
    whole = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    order = ("apiVersion", "kind", "metadata", "spec")
    return {name: whole[name] for name in order if name in whole}


def tuned_document(document: ScalingPolicy, tuned: Tuned, at: float) -> dict[str, Any]:
    """The document with the changes and the promise. It is a valid policy: the models have read it."""
    whole = copy.deepcopy(plain(document))
    for change in tuned.changes:
        _set(whole, change.path, change.after)
    score = tuned.rest[1]
    spread = likely(score, draws(len(score.minutes)))
    promise = Promise(
        at=at,
        risk=tuned.risk,
        unserved=max(tuned.risk, spread.unserved_fraction[1] if spread else score.unserved_fraction),
        cost=spread.cost_ratio[1] if spread else score.cost,
        before={change.path: change.before for change in tuned.changes},
        after={change.path: change.after for change in tuned.changes},
    )
    whole["metadata"].setdefault("annotations", {})[ANNOTATION] = msgspec.json.encode(promise).decode()
    ScalingPolicy.model_validate_json(json.dumps(whole))
    return whole


def as_yaml(whole: dict[str, Any]) -> str:
    """A document as a file holds it."""
    return yaml.safe_dump(whole, sort_keys=False, width=110)


def diff(document: ScalingPolicy, whole: dict[str, Any]) -> str:
    """What would change, as `diff -u` shows it."""
    before, after = as_yaml(plain(document)), as_yaml(whole)
    name = f"{document.namespace}/{document.metadata.name}"
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name}, tuned", lineterm="")
    return "\n".join(lines)


def promise_of(document: ScalingPolicy) -> Promise | None:
    """What a document promises; None: it was never tuned. Raises Unfit when the annotation is damaged."""
    text = document.metadata.annotations.get(ANNOTATION)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Promise)
    except msgspec.DecodeError as error:
        raise Unfit(f"{document.metadata.name}: the annotation {ANNOTATION} is damaged: {error}") from error


def check(lived: Lived, promise: Promise) -> Kept:
    """Compare what was recorded since with what was promised. Raises Unfit while too little is recorded since."""
    field = Field([lived.replayed.case], Rules(0))
    minutes = (field.first + np.arange(len(field.units))) * MINUTE
    field.judged &= (minutes >= promise.at)[:, None]
    days = int(field.judged.sum()) // DAY
    if days < FEWEST_DAYS:
        raise Unfit(
            f"{lived.key}: was tuned at {rfc3339(round(promise.at))}, {days} days are recorded since; expected "
            f"{FEWEST_DAYS} at least"
        )
    score = lived.replayed.ran(field, 0).scores[0]
    broken = []
    if score.unserved_fraction > promise.unserved:
        broken.append(f"{score.unserved_fraction:.3%} of the load went unserved, of {promise.unserved:.3%} at most")
    if score.cost > promise.cost * SLACK:
        broken.append(f"it cost {score.cost:.2f} times the oracle's, of {promise.cost:.2f} at most")
    return Kept(promise, score, days, tuple(broken))


def taken_back(document: ScalingPolicy, promise: Promise) -> dict[str, Any]:
    """path -> what it is set to when the tuning is withdrawn; what somebody changed since is not among them."""
    now = document.model_dump(mode="json", by_alias=True)
    return {
        path: value
        for path, value in promise.before.items()
        if path not in promise.after or _at(now, path) == promise.after[path]
    }


def withdrawn(document: ScalingPolicy, promise: Promise) -> dict[str, Any]:
    """The document as it was before it was tuned, but for what somebody changed since."""
    whole = copy.deepcopy(plain(document))
    for path, value in taken_back(document, promise).items():
        _set(whole, path, value)
    whole["metadata"]["annotations"].pop(ANNOTATION)
    if not whole["metadata"]["annotations"]:
        del whole["metadata"]["annotations"]
    return whole


def _set(whole: dict[str, Any], path: str, value: Any) -> None:
    *folders, name = path.split(".")
    place = whole
    for folder in folders:
        place = place.setdefault(folder, {})
    place[name] = value


def _at(whole: dict[str, Any], path: str) -> Any:
    place: Any = whole
    for name in path.split("."):
        place = place.get(name) if isinstance(place, dict) else None
    return place
