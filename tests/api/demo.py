"""A View that moves: tenants with daily load, a surge, a silent source. For the page's tests, and to look at the page.

python -m tests.api.demo --workloads 12 --speed 60 --listen 127.0.0.1:8099
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import signal
from collections.abc import AsyncIterator

from tests.api.fakes import sheet_of

from podium import api
from podium.loop.needs import Prediction, Predictions, together
from podium.loop.tell import needs, selection
from podium.loop.tell.figures import Comparison, Cost, Pair, Reduction, Totals
from podium.loop.tell.selection import Selection
from podium.loop.tell.sheet import Sheet, totals
from podium.loop.tell.view import (
    Band,
    DecisionRow,
    DecisionRows,
    Explanation,
    FleetView,
    Listing,
    SourceRow,
    Sparks,
    WorkloadRow,
    WorkloadSeries,
    WorkloadTail,
)

TOKEN = "a-token-for-looking-at-the-page"
INTERVAL = 15.0
LEAD = 120.0
BEGIN = 1_763_712_000.0  # 2025-11-21T08:00:00Z
TENANTS = ("atlas-retail", "borealis-media", "cedar-bank")
NAMES = ("storefront", "checkout", "search", "media-edge", "encoder", "ledger", "payments", "fraud-check", "mailer")
LEVELS = {"0.5": 0.0, "0.9": 1.2816, "0.95": 1.6449, "0.99": 2.3263}


class Lane:
    """One workload and all that happened to it."""

    def __init__(self, number: int) -> None:
        self.tenant = TENANTS[number % len(TENANTS)]
        name = NAMES[number % len(NAMES)] + (f"-{number // len(NAMES):03}" if number >= len(NAMES) else "")
        self.key = f"local/{self.tenant.split('-')[0]}/deployment.apps/{name}"
        self.number = number
        self.mode = ("own", "own", "recommend", "floor", "metric")[number % 5]
        self.recorded = number % 4 != 3
        self.capacity = (85.0, 40.0, 120.0)[number % 3]
        self.silent_from = BEGIN + 2.6 * 3600 if number == 7 else math.inf
        self.replicas = self.ready = max(2, math.ceil(self.shape(BEGIN) / self.capacity))
        self.at: list[float] = []
        self.columns: dict[str, list[float | int | None]] = {
            name: [] for name in ("load", "replicas", "ready", "wanted", "capacity", "expected", "hpa")
        }
        self.decisions: list[DecisionRow] = []

    def shape(self, at: float) -> float:
        """What the load tends to, at a time."""
        hours = (at - BEGIN) / 3600.0
        base = 300.0 + 170.0 * (self.number * 7 % 11)
        day = 1.0 + 0.35 * math.sin((hours + self.number) * 1.1) + 0.12 * math.sin(hours * 5.3 + self.number)
        surge = 0.9 * math.exp(-(((hours - 2.55) / 0.16) ** 2)) if self.number % 6 == 0 else 0.0
        return base * (day + surge)

    def load(self, at: float) -> float | None:
        """What was measured: the shape, and what nobody can know."""
        if at >= self.silent_from:
            return None
        noise = math.sin(at * 12.9898 + self.number * 78.233) * 43758.5453
        return self.shape(at) * (1.0 + 0.05 * (2.0 * (noise - math.floor(noise)) - 1.0))

    def quantile(self, level: str, at: float, ahead: float) -> float:
        return self.shape(at) * (1.0 + LEVELS[level] * (0.03 + 0.05 * math.sqrt(ahead / 1800.0)))

    def turn(self, tick: int, at: float) -> None:
        """One tick."""
        load = self.load(at)
        expected = self.quantile("0.95", at + LEAD, LEAD)
        before = self.replicas
        wanted = before if load is None else max(2, math.ceil(max(load, expected) / self.capacity))
        if load is not None and (wanted > before or (wanted < before and tick % 12 == self.number % 12)):
            self.replicas = wanted if wanted > before else max(wanted, before - 2)
        if tick % 3 == 0:
            self.ready += (self.replicas > self.ready) - (self.replicas < self.ready)
        row = (
            load,
            self.replicas,
            self.ready,
            self.replicas,
            self.ready * self.capacity,
            self.quantile("0.95", at, LEAD),
            self.hpa(at),
        )
        self.at.append(at)
        for name, value in zip(self.columns, row, strict=True):
            self.columns[name].append(value)
        self.decisions.append(self.decided(tick, at, before, expected, load))

    def decided(self, tick: int, at: float, before: int, expected: float, load: float | None) -> DecisionRow:
        reasons = (
            f"The load is {load:,.0f} requests/s; at {self.capacity:.0f} per replica that asks for "
            f"{math.ceil(load / self.capacity)}."
            if load is not None
            else "The load is not known: its source is silent, and a gap never scales down.",
            (
                f"In 2 minutes it is 95 % sure to stay under {expected:,.0f} requests/s, which asks for "
                f"{math.ceil(expected / self.capacity)}."
            ),
            f"The forecast has earned trust: {self.coverage() * 100:.1f} % of outcomes stayed under it.",
            "Between 2 and 60 as the policy allows.",
        )
        return DecisionRow(
            tick=tick,
            at=at,
            key=self.key,
            before=before,
            wanted=self.replicas,
            changed=self.replicas != before,
            actor="podium",
            epoch=3,
            policy_digest="5f0c2a91",
            reasons=reasons,
            outcome="" if self.replicas == before else "reached after 45s" if self.replicas > before else "written",
        )

    def hpa(self, at: float) -> int:
        """What an HPA that starts at 70 % and settles for five minutes would have."""
        return max(2, *(math.ceil(self.shape(at - late) / (0.7 * self.capacity)) for late in range(120, 480, 60)))

    def shadow(self) -> Comparison:
        """Both since the first turn."""
        hours = len(self.at) * INTERVAL / 3600.0
        ours, theirs = (
            sum(value or 0 for value in self.columns[name]) * INTERVAL / 3600.0 for name in ("replicas", "hpa")
        )
        return Comparison(
            since=BEGIN,
            hours=hours,
            replica_hours=Pair(podium=ours, hpa=theirs),
            unserved_fraction=Pair(podium=0.0004, hpa=0.0061),
            cost=Cost(podium=ours * 0.048, hpa=theirs * 0.048, currency="USD"),
        )

    def state(self) -> str:
        load = self.columns["load"][-1]
        if load is None:
            return "held"
        if load > self.ready * self.capacity:
            return "short"
        return "growing" if self.ready < self.replicas else "steady"

    def coverage(self) -> float:
        return 0.935 + 0.02 * math.sin(self.number)

    def row(self) -> WorkloadRow:
        load = self.columns["load"][-1]
        silent = load is None
        return WorkloadRow(
            key=self.key,
            tenant=self.tenant,
            mode=self.mode,
            state=self.state(),
            replicas=self.replicas,
            ready=self.ready,
            wanted=int(self.columns["wanted"][-1] or 0),
            minimum=2,
            maximum=60,
            load=load,
            load_unit="per_second",
            load_origin="recorded: data centre trace, Azure v2" if self.recorded else "synthetic: sine with a surge",
            capacity_per_replica=self.capacity,
            use=None if load is None else load / (self.ready * self.capacity),
            expected=self.quantile("0.95", self.at[-1] + LEAD, LEAD),
            coverage=self.coverage() if self.number % 5 != 4 else None,
            trusted=self.number % 5 != 4,
            paused="down" if self.number == 5 else "none",
            hpa=self.hpa(self.at[-1]),
            shadow=self.shadow(),
            troubles=("prom-east is silent: the load is not known, so nothing goes down",) if silent else (),
        )


class DemoView:
    """The lanes, an hour of history and a clock that runs `speed` times as fast as ours."""

    def __init__(self, workloads: int, speed: float, history_ticks: int = 640) -> None:
        self.lanes = [Lane(number) for number in range(workloads)]
        self.by_key = {lane.key: lane for lane in self.lanes}
        self.speed = speed
        self.tick = 0
        self.made: Sheet | None = None
        for _ in range(history_ticks):
            self.turn()

    @property
    def at(self) -> float:
        return BEGIN + INTERVAL * self.tick

    def turn(self) -> None:
        self.tick += 1
        for lane in self.lanes:
            lane.turn(self.tick, self.at)

    def fleet(self) -> FleetView:
        silent = any(lane.silent_from <= self.at for lane in self.lanes)
        sheet = self.sheet()
        total, tenants = totals(sheet, {"": self.lanes[0].shadow()} if self.lanes else {})
        return FleetView(
            at=self.at,
            tick=self.tick,
            due=self.at + INTERVAL,
            interval_seconds=INTERVAL,
            speed=self.speed,
            simulated=True,
            fleet=sheet.roll.fleet,
            total=total,
            tenants=tenants,
            tenant_count=len(tenants),
            sources=(
                SourceRow(
                    name="replay", kind="replay", where="azure-v2.parquet", state="ok", since=None, words="",
                    workloads=len(self.lanes), held=0,
                ),
                SourceRow(
                    name="prom-east",
                    kind="prometheus",
                    where="http://127.0.0.1:9090",
                    state="silent" if silent else "ok",
                    since=BEGIN + 2.6 * 3600 if silent else None,
                    words="No answer within 5 s; one workload keeps its size until it answers." if silent else "",
                    workloads=1,
                    held=int(silent),
                ),
            ),
            reduction=Reduction(
                fraction=0.1, window_seconds=300.0, replicas=total.replicas, budget=total.replicas // 10, taken=3,
                left=total.replicas // 10 - 3, held=int(silent),
            ),
            pauses=(),
            guards=("At most 10 % of all replicas may go within 5 minutes; 4 % went.",) if silent else (),
            next=f"turn {self.tick + 1} in {INTERVAL / self.speed:.2g} s",
        )  # fmt: skip

    def sheet(self) -> Sheet:
        if self.made is None or self.made.tick != self.tick:
            self.made = sheet_of([lane.row() for lane in self.lanes], self.at, self.tick)
        return self.made

    def tenants(self) -> tuple[Totals, ...]:
        return totals(self.sheet())[1]

    def page(self, wanted: Selection) -> Listing:
        sheet = self.sheet()
        found = selection.find(sheet, wanted)
        lanes = [self.lanes[slot] for slot in sheet.roll.slot[found.rows].tolist()]
        recent = None
        if wanted.recent_seconds:
            count = max(int(wanted.recent_seconds / INTERVAL), 1)
            loads = tuple(tuple(lane.columns["load"][-count:][-120:]) for lane in lanes)
            recent = Sparks(at=tuple(self.lanes[0].at[-count:][-120:]), load=loads)
        return Listing(
            at=self.at, tick=self.tick, total=found.total, items=tuple(lane.row() for lane in lanes), recent=recent,
            last=found.last,
        )  # fmt: skip

    def workload(self, key: str) -> WorkloadRow:
        return self.by_key[key].row()

    def series(self, key: str, since: float, until: float, points: int) -> WorkloadSeries:
        lane = self.by_key[key]
        chosen = [index for index, at in enumerate(lane.at) if since <= at <= until]
        thinned = len(chosen) > points
        chosen = chosen[:: -(-len(chosen) // points)] if thinned else chosen
        columns = {name: tuple(values[index] for index in chosen) for name, values in lane.columns.items()}
        now = lane.at[-1]
        ahead = tuple(60.0 * minute for minute in range(1, 31))
        band = Band(
            made_at=now,
            at=tuple(now + seconds for seconds in ahead),
            quantiles={
                level: tuple(lane.quantile(level, now + seconds, seconds) for seconds in ahead) for level in LEVELS
            },
        )
        at = tuple(lane.at[index] for index in chosen)
        return WorkloadSeries(key=key, at=at, band=band, thinned=thinned, shadow=lane.shadow(), **columns)  # type: ignore[arg-type]

    def tail(self, key: str, since: float) -> WorkloadTail:
        rows = tuple(row for row in self.decisions(key).items if row.at >= since)
        series = self.series(key, since, self.at, 5000)
        return WorkloadTail(key=key, tick=self.tick, at=self.at, row=self.workload(key), series=series, decisions=rows)

    def decisions(
        self, key: str | None, *, before: float | None = None, limit: int = 50, changed_only: bool = False
    ) -> DecisionRows:
        lanes = self.lanes if key is None else [self.by_key[key]]
        rows = [
            row
            for lane in lanes
            for row in lane.decisions
            if (before is None or row.at < before) and (row.changed or not changed_only)
        ]
        rows.sort(key=lambda row: (row.at, row.key), reverse=True)
        return DecisionRows(items=tuple(rows[:limit]), until=None)

    def prediction(self, key: str, horizon_seconds: float, threshold: float) -> Prediction:
        row, now = self.workload(key), self.by_key[key].at[-1]
        return needs.of_workload(row, self.series(key, now, now, 2).band, now, horizon_seconds, threshold)

    def predictions(self, horizon_seconds: float, threshold: float) -> Predictions:
        found = [self.prediction(key, horizon_seconds, threshold) for key in self.by_key]
        return together(found, found[0].at, horizon_seconds, threshold)

    def explain(self, key: str, at: float | None = None) -> Explanation:
        rows = [row for row in self.by_key[key].decisions if at is None or row.at <= at]
        if not rows:
            raise KeyError(key)
        decision, lane = rows[-1], self.by_key[key]
        return Explanation(
            decision=decision,
            sentence=f"{decision.wanted} replicas, because the forecast two minutes ahead asks for them.",
            inputs={
                "requests_per_second": f"{lane.shape(decision.at):,.0f}/s, 4 s old",
                "capacity per replica": f"{lane.capacity:.0f}/s, given by the policy",
                "time to ready": "1m48s, learned from 61 starts",
                "forecast": "seasonal profile, made 15 s before",
            },
        )

    async def changes(self) -> AsyncIterator[None]:
        seen = self.tick
        while True:
            await asyncio.sleep(min(0.2, INTERVAL / self.speed / 2))
            if self.tick != seen:
                seen = self.tick
                yield None

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            await asyncio.sleep(INTERVAL / self.speed)
            self.turn()


async def show(listen: str, view: DemoView) -> None:
    listening = api.bind(listen)
    app = api.create_app(view, token=TOKEN, allowed_hosts=api.loopback_hosts(listening))
    print(f"{api.address(listening)}/?token={TOKEN}", flush=True)  # noqa: T201
    async with asyncio.TaskGroup() as group:
        group.create_task(api.serve(app, listening))
        group.create_task(view.run())


def main() -> None:
    words = argparse.ArgumentParser(description="Serve the page over a fleet that moves.")
    words.add_argument("--listen", default="127.0.0.1:8099")
    words.add_argument("--workloads", type=int, default=12)
    words.add_argument("--speed", type=float, default=15.0)
    words.add_argument("--history", type=int, default=640)
    chosen = words.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with it ignored
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(show(chosen.listen, DemoView(chosen.workloads, chosen.speed, chosen.history)))


if __name__ == "__main__":
    main()
