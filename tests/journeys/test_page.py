"""The page in a real browser: what people see, live, with nothing from outside its own origin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.api.demo import TOKEN, DemoView
from tests.servers import chromium

from podium import api
from podium.api.page import BUILT

pytestmark = [
    pytest.mark.browser,
    chromium.needed,
    pytest.mark.skipif(
        not (BUILT / "index.html").is_file(), reason="the page is not built: npm ci && npm run build in dashboard/"
    ),
]
STOREFRONT = "local/atlas/deployment.apps/storefront"
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}}


class Station:
    """A served demo fleet that ticks when the test says so, and can be taken down and put back."""

    def __init__(self, view: DemoView) -> None:
        self.view = view
        self.listen = "127.0.0.1:0"
        self.serving: asyncio.Task[None] | None = None

    def up(self, token: str = TOKEN) -> str:
        listening = api.bind(self.listen)
        self.listen = f"127.0.0.1:{listening.getsockname()[1]}"
        app = api.create_app(self.view, token=token, allowed_hosts=api.loopback_hosts(listening))
        self.serving = asyncio.create_task(api.serve(app, listening))
        return f"http://{self.listen}"

    async def down(self) -> None:
        assert self.serving is not None
        self.serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.serving


@contextlib.asynccontextmanager
async def opened(
    place: str = "", workloads: int = 12, context: dict[str, Any] = DESK
) -> AsyncIterator[tuple[Station, chromium.Visit]]:
    """A visitor who has signed in through the printed link."""
    station = Station(DemoView(workloads, speed=1.0, history_ticks=640 if workloads < 100 else 130))
    address = station.up()
    try:
        async with (
            chromium.browser() as browser,
            chromium.visit(browser, f"{address}/?token={TOKEN}", **context) as seen,
        ):
            await expect(seen.page.locator("a.open").first).to_be_visible()
            if place:
                await seen.page.goto(f"{address}/#/w/{place}")
                await expect(seen.page.locator(".upper .u-over")).to_be_visible()
            yield station, seen
    finally:
        await station.down()


async def test_the_first_screen_shows_the_fleet_by_tenant_and_what_happens_next() -> None:
    async with opened() as (station, seen):
        page = seen.page
        assert await page.locator("section h2").all_inner_texts() == [
            "atlas-retail 4",
            "borealis-media 4",
            "cedar-bank 4",
        ]
        row = page.locator("article", has=page.get_by_role("link", name="storefront", exact=True))
        lane = station.view.by_key[STOREFRONT]
        await expect(row.locator(".replicas")).to_contain_text(f"{lane.ready} ready")
        await expect(row).to_contain_text("recorded")
        await expect(page.get_by_role("status")).to_contain_text("turn 641 in 15 s")
        await expect(page.get_by_role("list", name="Sources of signals")).to_contain_text("prom-east silent for")


async def test_the_page_follows_the_loop_without_being_asked() -> None:
    async with opened() as (station, seen):
        await expect(seen.page.locator("header .next")).to_contain_text("turn 640")
        await _turn(station, seen.page)
        await expect(seen.page.locator("header .next")).to_contain_text("turn 641")
        await expect(seen.page.locator("header time")).to_contain_text("10:40:15")


async def test_nothing_comes_from_outside_and_nothing_is_complained_of() -> None:
    async with opened() as (station, seen):
        await seen.page.get_by_role("link", name="storefront", exact=True).click()
        await expect(seen.page.locator(".upper .u-over")).to_be_visible()
        await _turn(station, seen.page)
        await seen.page.wait_for_timeout(300)
    assert seen.complaints == []
    assert [url for url in seen.asked if not url.startswith(f"http://{station.listen}/")] == []
    assert [url for url in seen.asked if "token=" in url] == seen.asked[:1]


async def test_a_workload_says_why_it_has_as_many_replicas() -> None:
    async with opened(STOREFRONT) as (station, seen):
        decision = station.view.decisions(STOREFRONT)[0]
        await expect(seen.page.get_by_role("heading", name=f"Why {decision.wanted}?")).to_be_visible()
        for reason in decision.reasons:
            await expect(seen.page.get_by_text(reason)).to_be_visible()
        await expect(seen.page.get_by_text("1m48s, learned from 61 starts")).to_be_visible()


async def test_the_cursor_shows_values_and_the_decision_of_that_time() -> None:
    async with opened(STOREFRONT) as (station, seen):
        await seen.page.locator(".plots").focus()
        for _ in range(6):
            await seen.page.keyboard.press("PageUp")  # twenty ticks each
        at = station.view.at - 120 * 15.0
        values = seen.page.locator("dl[aria-label^=Values]")
        await expect(values).to_contain_text("10:10:00")
        series = station.view.series(STOREFRONT, at, at)
        await expect(values).to_contain_text(f"{series.load[0]:,.0f}/s")
        in_force = station.view.explain(STOREFRONT, at).decision
        await expect(seen.page.get_by_role("heading", name=f"Why {in_force.wanted}?")).to_be_visible()
        await expect(seen.page.locator(".trail")).to_contain_text(f"turn {in_force.tick}")


async def test_load_forecast_capacity_and_decisions_are_drawn() -> None:
    async with opened(STOREFRONT) as (_station, seen):
        await expect(seen.page.locator(".lower canvas")).to_be_visible()
        drawn = await seen.page.evaluate(_COLOURS)
    assert drawn["load"] > 300
    assert drawn["capacity"] > 300
    assert drawn["decision"] > 20
    assert drawn["band"] > 3000


async def test_the_chart_moves_with_the_loop_and_keeps_its_size() -> None:
    async with opened(STOREFRONT) as (station, seen):
        values = seen.page.locator("dl[aria-label^=Values]")
        await expect(values).to_contain_text("10:40:00")
        before = await seen.page.locator(".chart").bounding_box()
        await _turn(station, seen.page, 3)
        await expect(values).to_contain_text("10:40:45")
        assert await seen.page.locator(".chart").bounding_box() == before


@pytest.mark.parametrize("context", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("place", ["", STOREFRONT], ids=["fleet", "workload"])
async def test_nothing_jumps_while_the_page_arrives(place: str, context: dict[str, Any]) -> None:
    async with opened(place, context=context) as (_station, seen):
        await seen.page.reload()
        await expect(seen.page.locator(".upper .u-over" if place else "a.open").first).to_be_visible()
        assert await seen.page.evaluate(_SHIFTS) < 0.05  # "good" ends at 0.1 in the Core Web Vitals


async def test_keys_lead_to_a_workload_and_back() -> None:
    async with opened() as (_station, seen):
        await seen.page.keyboard.press("ArrowDown")
        await seen.page.keyboard.press("ArrowDown")
        await expect(seen.page.get_by_role("link", name="payments")).to_be_focused()
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_role("heading", level=1, name="payments")).to_be_visible()
        await seen.page.keyboard.press("Escape")
        await expect(seen.page.locator("a.open").first).to_be_visible()


async def test_a_lost_connection_is_said_and_mends_itself() -> None:
    async with opened() as (station, seen):
        state = seen.page.get_by_role("status")
        await station.down()
        await expect(state).to_contain_text("The connection is lost. What you see is")
        station.view.turn()
        station.up()
        await expect(state).to_contain_text("turn 642 in 15 s", timeout=15_000)


async def test_a_session_that_is_over_asks_for_the_token() -> None:
    async with opened() as (station, seen):
        await station.down()
        station.up(token="another-token-after-a-restart")
        await expect(seen.page.get_by_label("Token")).to_be_visible(timeout=15_000)
        await seen.page.get_by_label("Token").fill("a-wrong-token-altogether")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_role("alert")).to_have_text("This token is not the right one.")
        await seen.page.get_by_label("Token").fill("another-token-after-a-restart")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator("a.open").first).to_be_visible()


async def test_signing_out_ends_the_session_for_good() -> None:
    async with opened() as (_station, seen):
        kept = await seen.page.context.cookies()
        await seen.page.get_by_role("button", name="Sign out").click()
        await expect(seen.page.get_by_label("Token")).to_be_visible()
        await seen.page.context.add_cookies(kept)
        await seen.page.reload()
        await expect(seen.page.get_by_label("Token")).to_be_visible()


async def test_a_tab_nobody_looks_at_gives_its_connection_back() -> None:
    async with opened() as (station, seen):
        await seen.page.clock.install()
        await seen.page.reload()
        await expect(seen.page.locator("a.open").first).to_be_visible()
        await seen.page.evaluate(_LOOK, arg=False)
        await seen.page.clock.fast_forward(30_000)
        await _listeners(seen.page, 0)
        station.view.turn()
        await seen.page.evaluate(_LOOK, arg=True)
        await _listeners(seen.page, 1)
        await expect(seen.page.get_by_role("status")).to_contain_text("turn 642")


async def test_a_loop_that_stopped_is_said_to_be_late() -> None:
    async with opened() as (station, seen):
        station.view.speed = 60.0  # ticks four times a second are promised, and none comes
        await _turn(station, seen.page)
        await expect(seen.page.get_by_role("status")).to_contain_text("No turn for", timeout=15_000)


async def test_a_thousand_workloads_are_found_by_page_and_by_name() -> None:
    async with opened(workloads=1000) as (_station, seen):
        await expect(seen.page.locator("article")).to_have_count(50)
        await expect(seen.page.get_by_text("1–50 of 1,000")).to_be_visible()
        await seen.page.get_by_role("button", name="Next page").click()
        await expect(seen.page.get_by_text("51–100 of 1,000")).to_be_visible()
        await seen.page.keyboard.press("/")
        await seen.page.keyboard.type("cedar ledger-041")
        await expect(seen.page.locator("article")).to_have_count(1)


async def test_an_empty_fleet_says_what_to_do() -> None:
    station = Station(DemoView(0, speed=1.0, history_ticks=1))
    address = station.up()
    async with chromium.browser() as browser, chromium.visit(browser, f"{address}/?token={TOKEN}") as seen:
        await expect(seen.page.get_by_text("No workload yet.")).to_be_visible()
    await station.down()


async def test_an_unknown_workload_is_said_to_be_unknown() -> None:
    async with opened() as (station, seen):
        await seen.page.goto(f"http://{station.listen}/#/w/local/atlas/deployment.apps/nobody")
        await expect(seen.page.get_by_text("Podium does not know this workload")).to_be_visible()


@pytest.mark.parametrize("place", ["", STOREFRONT])
async def test_a_phone_shows_all_of_it_without_scrolling_sideways(place: str) -> None:
    async with opened(place, context=PHONE) as (_station, seen):
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_in_either_scheme(scheme: str) -> None:
    async with opened(STOREFRONT, context={**DESK, "color_scheme": scheme}) as (_station, seen):
        ratios = await seen.page.evaluate(_CONTRASTS)
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}  # WCAG 2.2, 1.4.3


async def _turn(station: Station, page: Page, times: int = 1) -> None:
    """Tick, once the page listens."""
    await expect(page.locator("header .next.live")).to_be_visible()
    for _ in range(times):
        station.view.turn()
        await asyncio.sleep(0.3)


async def _listeners(page: Page, count: int) -> None:
    """Wait until so many streams are open at the server."""
    line = f"podium_stream_listeners {count:.1f}"
    async with asyncio.timeout(10):
        while line not in await (await page.request.get("/metrics")).text():  # noqa: ASYNC110  the server counts
            await asyncio.sleep(0.1)


_SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((entry) => (sum += entry.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 1000);
})"""
_LOOK = """(looking) => {
  Object.defineProperty(document, "hidden", { value: !looking, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
_COLOURS = """() => {
  const style = getComputedStyle(document.documentElement);
  const rgb = (name) => [1, 3, 5].map((i) => parseInt(style.getPropertyValue(name).trim().slice(i, i + 2), 16));
  const canvas = document.querySelector(".upper canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const load = rgb("--load"), capacity = rgb("--capacity"), decision = rgb("--decision");
  const found = { load: 0, capacity: 0, decision: 0, band: 0 };
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = pixels[i + 3];
    const is = (colour) => colour.every((part, k) => Math.abs(part - pixels[i + k]) < 12);
    if (alpha > 200 && is(load)) found.load += 1;
    if (alpha > 200 && is(capacity)) found.capacity += 1;
    if (alpha > 200 && is(decision)) found.decision += 1;
    const future = (i / 4) % canvas.width > canvas.width * 0.75;
    if (future && alpha > 20 && alpha < 140 && pixels[i + 2] > pixels[i] + 60) found.band += 1;
  }
  return found;
}"""
_CONTRASTS = """() => {
  const style = getComputedStyle(document.documentElement);
  const light = (name) => {
    const parts = [1, 3, 5].map((i) => parseInt(style.getPropertyValue(name).trim().slice(i, i + 2), 16) / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const out = {};
  for (const ground of ["--ground", "--card"])
    for (const ink of ["--ink", "--muted", "--capacity", "--decision", "--good", "--warn", "--bad"])
      out[`${ink} on ${ground}`] = ratio(ink, ground);
  out["--warn on --warn-ground"] = ratio("--warn", "--warn-ground");
  out["--bad on --bad-ground"] = ratio("--bad", "--bad-ground");
  return out;
}"""
