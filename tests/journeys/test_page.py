"""The page in a real browser: what people see, live, with nothing from outside its own origin."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect
from tests.api.demo import TOKEN, DemoView
from tests.servers import chromium

from podium import api
from podium.api.page import BUILT
from podium.loop.orders.book import Given, Wanted
from podium.loop.orders.order import Order, Pause
from podium.loop.tell.view import FleetView

pytestmark = [
    pytest.mark.browser,
    chromium.needed,
    pytest.mark.skipif(
        not (BUILT / "index.html").is_file(), reason="the page is not built: npm ci && npm run build in dashboard/"
    ),
]
STOREFRONT = "local/atlas/deployment.apps/storefront"
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 780}}
MANY = 200  # workloads from which on a short past will do


class Book:
    """Takes every order and remembers it."""

    standing: tuple[Pause, ...] = ()

    def __init__(self) -> None:
        self.wanted: list[Wanted] = []

    async def give(self, wanted: Wanted, *, dry_run: bool = False) -> Given:
        self.wanted.append(wanted)
        order = Order(id="1", at=0.0, what=wanted.what, target=wanted.target, by=wanted.by, reason=wanted.reason)
        return Given(order=order, taken_back=(), standing=(), repeated=False, dry_run=dry_run)


class Station:
    """A served demo fleet that ticks when the test says so, and can be taken down and put back."""

    def __init__(self, view: DemoView) -> None:
        self.view = view
        self.book = Book()
        self.listen = "127.0.0.1:0"
        self.serving: asyncio.Task[None] | None = None

    def up(self, token: str = TOKEN) -> str:
        listening = api.bind(self.listen)
        self.listen = f"127.0.0.1:{listening.getsockname()[1]}"
        app = api.create_app(self.view, token=token, allowed_hosts=api.loopback_hosts(listening), book=self.book)
        self.serving = asyncio.create_task(api.serve(app, listening))
        return f"http://{self.listen}"

    async def down(self) -> None:
        assert self.serving is not None
        self.serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.serving


@contextlib.asynccontextmanager
async def opened(
    place: str = "", workloads: int = 12, context: dict[str, Any] = DESK, view: type[DemoView] = DemoView
) -> AsyncIterator[tuple[Station, chromium.Visit]]:
    """A visitor who has signed in through the printed link and went on to `place`, the part after `#/`."""
    station = Station(view(workloads, speed=1.0, history_ticks=640 if workloads < MANY else 4))
    address = station.up()
    try:
        async with (
            chromium.browser() as browser,
            chromium.visit(browser, f"{address}/?token={TOKEN}", **context) as seen,
        ):
            await arrived(seen.page, "")
            if place:
                await seen.page.goto(f"{address}/#/{place}")
                await arrived(seen.page, place)
            yield station, seen
    finally:
        await station.down()


async def arrived(page: Page, place: str) -> None:
    """Wait for the first data."""
    kind = place.partition("/")[0].partition("?")[0]
    landmark = {"w": ".upper .u-over", "guards": ".sources li"}.get(kind, "canvas[data-tick]")
    await expect(page.locator(landmark).first).to_be_visible()


def names(page: Page) -> Any:
    """The listed workloads."""
    return page.locator(".row a.open")


async def test_the_first_screen_shows_the_fleet_by_tenant_and_what_happens_next() -> None:
    async with opened() as (station, seen):
        page = seen.page
        assert await page.locator(".map .label").all_inner_texts() == [
            "atlas-retail\n4",
            "borealis-media\n4",
            "cedar-bank\n4",
        ]
        row = page.locator(".row", has=page.get_by_role("link", name="storefront", exact=True))
        lane = station.view.by_key[STOREFRONT]
        await expect(row.locator(".ready")).to_contain_text(f"{lane.ready} ready")
        await expect(row.locator("svg path.line")).to_have_attribute("d", re.compile("M.+L"))
        await expect(page.locator("header .next")).to_contain_text("turn 641 in 15 s")
        await expect(page.get_by_role("list", name="What holds the fleet")).to_contain_text("prom-east is silent")


async def test_the_page_follows_the_loop_without_being_asked() -> None:
    async with opened() as (station, seen):
        await expect(seen.page.locator("header .next")).to_contain_text("turn 640")
        await _turn(station, seen.page)
        await expect(seen.page.locator("header .next")).to_contain_text("turn 641")
        await expect(seen.page.locator("header time")).to_contain_text("10:40:15")
        await expect(seen.page.locator("canvas[data-tick='641']")).to_be_visible()


async def test_nothing_comes_from_outside_and_nothing_is_complained_of() -> None:
    async with opened() as (station, seen):
        await seen.page.get_by_role("link", name="storefront", exact=True).click()
        await expect(seen.page.locator(".upper .u-over")).to_be_visible()
        await _turn(station, seen.page)
        await seen.page.wait_for_timeout(300)
    assert seen.complaints == []
    assert [url for url in seen.asked if not url.startswith(f"http://{station.listen}/")] == []
    assert [url for url in seen.asked if "token=" in url] == seen.asked[:1]


async def test_a_cell_of_the_map_is_named_under_mouse_and_keys_and_opens() -> None:
    async with opened() as (_station, seen):
        page, canvas = seen.page, seen.page.locator("canvas")
        await canvas.hover(position={"x": 30, "y": 50})
        await expect(page.locator(".tip")).to_contain_text("media-edge")
        await canvas.focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("End")
        await expect(page.locator("#map-said")).to_contain_text("search-001, cedar-bank: steady")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1, name="search-001")).to_be_visible()
        await page.go_back()
        await canvas.click(position={"x": 30, "y": 50})
        await expect(page.get_by_role("heading", level=1, name="media-edge")).to_be_visible()


async def test_what_is_asked_for_is_in_the_address_and_comes_back() -> None:
    async with opened() as (station, seen):
        page = seen.page
        await page.get_by_role("button", name="Held").click()
        await expect(names(page)).to_have_text(["fraud-check"])
        await page.get_by_role("button", name="Held").click()
        await page.locator(".map .label", has_text="cedar-bank").click()
        await expect(names(page)).to_have_text(["ledger", "mailer", "search", "search-001"])
        await expect(page.locator(".totals div").first).to_contain_text("4 of cedar-bank")
        assert page.url == f"http://{station.listen}/#/?tenant=cedar-bank"
        await page.reload()
        await expect(names(page)).to_have_count(4)
        await page.go_back()
        await page.go_back()
        await expect(names(page)).to_have_text(["fraud-check"])


async def test_who_is_paused_and_whose_source_is_doubted_can_be_asked_for() -> None:
    async with opened() as (_station, seen):
        await seen.page.get_by_role("button", name="Paused").click()
        await expect(names(seen.page)).to_have_text(["ledger"])
        await seen.page.get_by_role("button", name="Paused").click()
        await seen.page.get_by_role("button", name="Doubted source").click()
        await expect(names(seen.page)).to_have_text(["fraud-check"])


async def test_the_list_is_sorted_by_what_is_asked() -> None:
    async with opened() as (station, seen):
        page = seen.page
        await page.get_by_role("button", name="Pods").click()
        rows = sorted(station.view.lanes, key=lambda lane: (-lane.ready, lane.tenant, lane.key))
        await expect(names(page).first).to_have_text(rows[0].key.rpartition("/")[2])
        await page.get_by_role("button", name="Pods").click()
        await expect(page.get_by_role("columnheader", name="Pods")).to_have_attribute("aria-sort", "ascending")
        assert page.url.endswith("?sort=ready")


async def test_a_workload_says_why_it_has_as_many_replicas() -> None:
    async with opened(f"w/{STOREFRONT}") as (station, seen):
        decision = station.view.decisions(STOREFRONT).items[0]
        await expect(seen.page.get_by_role("heading", name=f"Why {decision.wanted}?")).to_be_visible()
        for reason in decision.reasons:
            await expect(seen.page.get_by_text(reason)).to_be_visible()
        await expect(seen.page.get_by_text("1m48s, learned from 61 starts")).to_be_visible()


async def test_a_workload_is_compared_with_a_plain_hpa() -> None:
    async with opened(f"w/{STOREFRONT}") as (station, seen):
        shadow = station.view.by_key[STOREFRONT].shadow()
        assert shadow.cost is not None
        rows = seen.page.locator("table tbody tr")
        await expect(rows.nth(1)).to_contain_text("Unserved load 0.04 % 0.61 %", use_inner_text=True)
        await expect(rows.nth(2)).to_contain_text(f"${shadow.cost.podium:.2f}")
        assert (await seen.page.evaluate(_COLOURS))["hpa"] > 100


async def test_the_cursor_shows_values_and_a_pick_explains_the_decision_of_that_time() -> None:
    async with opened(f"w/{STOREFRONT}") as (station, seen):
        await seen.page.locator(".plots").focus()
        for _ in range(6):
            await seen.page.keyboard.press("PageUp")  # twenty ticks each
        at = station.view.at - 120 * 15.0
        values = seen.page.locator("dl[aria-label^=Values]")
        await expect(values).to_contain_text("10:10:00")
        series = station.view.series(STOREFRONT, at, at, 10)
        await expect(values).to_contain_text(f"{series.load[0]:,.0f}/s")
        await seen.page.keyboard.press("Enter")
        in_force = station.view.explain(STOREFRONT, at).decision
        await expect(seen.page.get_by_role("heading", name=f"Why {in_force.wanted}?")).to_be_visible()
        await expect(seen.page.locator(".trail")).to_contain_text(f"turn {in_force.tick}")
        assert seen.page.url.endswith(f"?at={at:.0f}")


async def test_a_click_into_the_chart_explains_and_a_drag_zooms() -> None:
    async with opened(f"w/{STOREFRONT}") as (_station, seen):
        page = seen.page
        box = await page.locator(".upper .u-over").bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + 200, box["y"] + 60)
        await expect(page.locator(".when", has_text="The decision in force")).to_be_visible()
        await page.mouse.move(box["x"] + 100, box["y"] + 60)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 300, box["y"] + 60, steps=4)
        await page.mouse.up()
        await expect(page).to_have_url(re.compile(r"span=\d+&to=\d+"))
        await page.get_by_role("button", name="Now", exact=True).click()
        await page.get_by_role("button", name="3 h").click()
        await expect(page).to_have_url(re.compile(r"span=10800$"))


async def test_load_forecast_capacity_and_decisions_are_drawn() -> None:
    async with opened(f"w/{STOREFRONT}") as (_station, seen):
        await expect(seen.page.locator(".lower canvas")).to_be_visible()
        drawn = await seen.page.evaluate(_COLOURS)
    assert drawn["load"] > 300
    assert drawn["capacity"] > 300
    assert drawn["decision"] > 20
    assert drawn["band"] > 3000


async def test_the_chart_moves_with_the_loop_and_keeps_its_size() -> None:
    async with opened(f"w/{STOREFRONT}") as (station, seen):
        values = seen.page.locator("dl[aria-label^=Values]")
        await expect(values).to_contain_text("10:40:00")
        before = await seen.page.locator(".chart").bounding_box()
        await _turn(station, seen.page, 3)
        await expect(values).to_contain_text("10:40:45")
        assert await seen.page.locator(".chart").bounding_box() == before


@pytest.mark.parametrize("context", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("place", ["", f"w/{STOREFRONT}", "guards"], ids=["fleet", "workload", "guards"])
async def test_nothing_jumps_while_the_page_arrives_nor_lies_beside_the_screen(
    place: str, context: dict[str, Any]
) -> None:
    async with opened(place, context=context) as (_station, seen):
        await seen.page.reload()
        await arrived(seen.page, place)
        assert await seen.page.evaluate(_SHIFTS) < 0.05  # "good" ends at 0.1 in the Core Web Vitals
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_keys_lead_to_a_workload_and_back() -> None:
    async with opened() as (_station, seen):
        page = seen.page
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await expect(page.locator(".row.active")).to_contain_text("payments")
        await expect(page.get_by_role("grid")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1, name="payments")).to_be_visible()
        await page.keyboard.press("Escape")
        await arrived(page, "")
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
        await page.keyboard.press("2")
        await expect(page.get_by_role("heading", level=1, name="Sources and guards")).to_be_visible()


async def test_a_pause_says_what_will_happen_and_is_ordered_once_with_name_and_reason() -> None:
    async with opened(f"w/{STOREFRONT}") as (station, seen):
        page = seen.page
        await page.keyboard.press("p")
        dialog = page.get_by_role("dialog", name="Pause storefront")
        await expect(dialog).to_contain_text("No pods are taken away, even when the load falls.")
        await dialog.get_by_text("Scaling up", exact=True).click()
        await expect(dialog).to_contain_text("load may go unserved")
        await dialog.get_by_text("8 hours").click()
        await expect(dialog.get_by_role("button", name="Pause storefront")).to_be_disabled()
        await dialog.get_by_label("Reason").fill("a sale begins")
        await dialog.get_by_label("Your name").fill("Zoë")
        await dialog.get_by_role("button", name="Pause storefront").click()
        await expect(page.locator(".told")).to_contain_text("storefront is paused until 18:40 UTC")
    (wanted,) = station.book.wanted
    assert str(wanted.target) == STOREFRONT
    assert (wanted.what, wanted.direction, wanted.for_seconds, wanted.reason) == (
        "pause",
        "up",
        28800.0,
        "a sale begins",
    )
    assert wanted.by.startswith("Zoë (session ")
    assert len(wanted.key) == 36


async def test_pausing_everything_can_be_thought_better_of() -> None:
    async with opened("guards") as (station, seen):
        await seen.page.get_by_role("button", name="Pause everything…").click()
        dialog = seen.page.get_by_role("dialog", name="Pause everything")
        await expect(dialog).to_contain_text("For all 12 workloads")
        await seen.page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
    assert station.book.wanted == []


class Held(DemoView):
    """Scaling down of everything is paused by an order, and the values of one source are not believed."""

    def fleet(self) -> FleetView:
        shown = super().fleet()
        pause = Pause(of="", direction="down", by="Zoë", reason="a sale", since=shown.at - 600, until=None)
        doubted = msgspec.structs.replace(shown.sources[1], state="suspect", held=1, words="It fell by half at once.")
        return msgspec.structs.replace(shown, pauses=(pause,), sources=(shown.sources[0], doubted))


async def test_a_pause_is_taken_back_with_a_reason() -> None:
    async with opened("guards", view=Held) as (station, seen):
        await expect(seen.page.locator(".pauses")).to_contain_text("a sale")
        await seen.page.locator(".pauses").get_by_role("button", name="Resume…").first.click()
        dialog = seen.page.get_by_role("dialog", name="Resume everything")
        await expect(dialog).to_contain_text("What was missed meanwhile is decided anew from the present.")
        await dialog.get_by_label("Reason").fill("the sale is over")
        await dialog.get_by_role("button", name="Resume everything").click()
        await expect(seen.page.locator(".told")).to_contain_text("Scaling of everything goes on")
    (wanted,) = station.book.wanted
    assert (wanted.what, wanted.target.name, wanted.reason) == ("resume", "", "the sale is over")


async def test_a_doubted_source_is_believed_on_a_person_s_word() -> None:
    async with opened("guards", view=Held) as (station, seen):
        await seen.page.get_by_role("button", name="Believe it…").click()
        dialog = seen.page.get_by_role("dialog", name="Believe prom-east")
        await expect(dialog).to_contain_text("the workload that it holds may go down")
        await dialog.get_by_label("Reason").fill("the campaign is over")
        await dialog.get_by_role("button", name="Believe prom-east").click()
        await expect(seen.page.locator(".told")).to_contain_text("Source prom-east is believed")
    (wanted,) = station.book.wanted
    assert (wanted.what, wanted.target.name, wanted.reason) == ("believe", "prom-east", "the campaign is over")


async def test_a_lost_connection_is_said_and_mends_itself() -> None:
    async with opened() as (station, seen):
        state = seen.page.locator("header .next")
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
        await arrived(seen.page, "")


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
        await arrived(seen.page, "")
        await seen.page.evaluate(_LOOK, arg=False)
        await seen.page.clock.fast_forward(30_000)
        await _listeners(seen.page, 0)
        station.view.turn()
        await seen.page.evaluate(_LOOK, arg=True)
        await _listeners(seen.page, 1)
        await expect(seen.page.locator("header .next")).to_contain_text("turn 642")


async def test_a_loop_that_stopped_is_said_to_be_late() -> None:
    async with opened() as (station, seen):
        station.view.speed = 60.0  # ticks four times a second are promised, and none comes
        await _turn(station, seen.page)
        await expect(seen.page.locator("header .next")).to_contain_text("No turn for", timeout=15_000)


async def test_ten_thousand_workloads_are_on_one_screen_and_found_by_name() -> None:
    async with opened(workloads=10_000) as (station, seen):
        page = seen.page
        await expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "10001")
        assert await page.locator(".row").count() < 40
        station.view.turn()
        await expect(page.locator("canvas[data-tick='5']")).to_be_visible()
        await page.get_by_role("button", name="Workload").click()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("End")
        await expect(page.locator(".row.active")).to_have_attribute("aria-rowindex", "10001")
        await page.keyboard.press("/")
        await page.keyboard.type("cedar ledger-041")
        await expect(names(page)).to_have_text(["ledger-041"])


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


async def test_the_theme_follows_the_system_until_it_is_chosen() -> None:
    async with opened(context={**DESK, "color_scheme": "dark"}) as (_station, seen):
        page, root = seen.page, seen.page.locator("html")
        await expect(root).to_have_attribute("data-theme", "dark")
        await page.get_by_role("button", name="Light").click()
        await expect(root).to_have_attribute("data-theme", "light")
        await page.reload()
        await expect(root).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_in_either_scheme(scheme: str) -> None:
    async with opened(f"w/{STOREFRONT}", context={**DESK, "color_scheme": scheme}) as (_station, seen):
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
  const found = { load: 0, capacity: 0, decision: 0, band: 0, hpa: 0 };
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = pixels[i + 3];
    const is = (colour) => colour.every((part, k) => Math.abs(part - pixels[i + k]) < 12);
    if (alpha > 200 && is(load)) found.load += 1;
    if (alpha > 200 && is(capacity)) found.capacity += 1;
    if (alpha > 200 && is(decision)) found.decision += 1;
    const future = (i / 4) % canvas.width > canvas.width * 0.75;
    if (future && alpha > 20 && alpha < 140 && pixels[i + 2] > pixels[i] + 60) found.band += 1;
  }
  const lower = document.querySelector(".lower canvas");
  const under = lower.getContext("2d").getImageData(0, 0, lower.width, lower.height).data;
  const hpa = rgb("--hpa");
  for (let i = 0; i < under.length; i += 4)
    if (under[i + 3] > 120 && hpa.every((part, k) => Math.abs(part - under[i + k]) < 30)) found.hpa += 1;
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
  const names = "ink muted capacity decision good warn bad hpa over accent-ink".split(" ").map((name) => `--${name}`);
  for (const ground of ["--ground", "--card"])
    for (const ink of names) out[`${ink} on ${ground}`] = ratio(ink, ground);
  out["--warn on --warn-ground"] = ratio("--warn", "--warn-ground");
  out["--bad on --bad-ground"] = ratio("--bad", "--bad-ground");
  return out;
}"""
