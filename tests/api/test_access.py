"""Who may come in, through which door."""

from __future__ import annotations

import aiohttp
import pytest
from tests.api.fakes import START, TOKEN, FakeView, ask, served, visited

from podium import api
from podium.api.access import SESSION_SECONDS, Access

API = ("/api/v1/fleet", "/api/v1/workloads", "/api/v1/decisions", "/api/v1/sources", "/api/v1/clusters")
CLOSED = (*API, "/api/v1/stream", "/api/v1/openapi.json", "/session", "/nothing-here")


@pytest.mark.parametrize("path", CLOSED)
async def test_no_door_opens_without_a_token(path: str) -> None:
    async with visited() as client, client.get(path, headers={"authorization": ""}) as answer:
        assert (answer.status, answer.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize("shown", ["Bearer wrong", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff"])
async def test_a_wrong_token_is_refused(shown: str) -> None:
    async with visited() as client, client.get("/api/v1/fleet", headers={"authorization": shown}) as answer:
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="podium"'


async def test_the_token_opens_every_door() -> None:
    async with visited() as client:
        statuses = {path: (await ask(client.get(path))).status for path in API}
    assert statuses == dict.fromkeys(API, 200)


def test_a_token_that_could_be_guessed_is_not_accepted_at_all() -> None:
    with pytest.raises(ValueError, match="6 characters is too short; expected at least 16"):
        api.create_app(FakeView(), token="secret")


async def test_the_printed_link_signs_in_and_leaves_no_token_behind() -> None:
    async with served(FakeView()) as address, aiohttp.ClientSession(address, cookie_jar=_jar()) as browser:
        async with browser.get(f"/?token={TOKEN}", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["location"]) == (303, "/")
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
        assert (await ask(browser.get("/api/v1/fleet"))).status == 200


async def test_a_link_with_a_wrong_token_signs_nobody_in() -> None:
    async with served(FakeView()) as address, aiohttp.ClientSession(address, cookie_jar=_jar()) as browser:
        async with browser.get("/?token=wrong", allow_redirects=False) as answer:
            assert (answer.headers["location"], "set-cookie" in answer.headers) == ("/#/refused", False)
        assert (await ask(browser.get("/api/v1/fleet"))).status == 401


async def test_a_write_of_a_session_needs_its_csrf_token() -> None:
    async with served(FakeView()) as address, aiohttp.ClientSession(address, cookie_jar=_jar()) as browser:
        session = (await ask(browser.post("/session", json={"token": TOKEN}))).json()
        assert (await ask(browser.delete("/session"))).status == 403
        assert (await ask(browser.delete("/session", headers={"x-csrf-token": "0" * 64}))).status == 403
        assert (await ask(browser.delete("/session", headers={"x-csrf-token": session["csrf"]}))).status == 204


async def test_a_signed_out_session_is_refused_even_to_whoever_kept_the_cookie() -> None:
    async with served(FakeView()) as address, aiohttp.ClientSession(address, cookie_jar=_jar()) as browser:
        session = (await ask(browser.post("/session", json={"token": TOKEN}))).json()
        kept = {"cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.cookie_jar)}
        assert (await ask(browser.get("/api/v1/fleet", headers=kept))).status == 200
        await ask(browser.delete("/session", headers={"x-csrf-token": session["csrf"]}))
        assert (await ask(browser.get("/api/v1/fleet", headers=kept))).status == 401


async def test_a_wrong_token_is_refused_at_the_exchange() -> None:
    async with visited() as client, client.post("/session", json={"token": "wrong"}) as answer:
        assert (answer.status, (await answer.json())["errors"][0]["path"]) == (401, "body.token")


@pytest.mark.parametrize(
    ("body", "status"),
    [(r'{"token": "\ud800"}', 401), (r'{"token": "x", "\ud800": "\ud800"}', 400), (r'{"\udfff": 1}', 400)],
)
async def test_half_a_character_is_refused_as_any_other_garbage(body: str, status: int) -> None:
    headers = {"content-type": "application/json"}
    async with visited() as client, client.post("/session", data=body, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (status, "application/problem+json")


async def test_nobody_makes_the_server_read_much_before_saying_who_they_are() -> None:
    async with visited() as client, client.post("/session", data=b"x" * 5000) as answer:
        assert answer.status == 413


def test_a_session_ends_after_half_a_day_and_not_before() -> None:
    now = START
    access = Access(TOKEN, lambda: now)
    cookie = access.open_session()
    now += SESSION_SECONDS - 1
    assert access.session_expiry(cookie) == START + SESSION_SECONDS
    now += 1
    assert access.session_expiry(cookie) is None


@pytest.mark.parametrize(
    "damage", [lambda c: "9" + c, lambda c: c[:-1], lambda c: "", lambda c: "..", lambda c: c + "é"]
)
def test_a_changed_cookie_is_no_session(damage) -> None:  # type: ignore[no-untyped-def]
    access = Access(TOKEN, lambda: START)
    assert access.session_expiry(damage(access.open_session())) is None


def test_a_session_outlives_a_restart_with_the_same_token_and_no_other() -> None:
    cookie = Access(TOKEN, lambda: START).open_session()
    assert Access(TOKEN, lambda: START).session_expiry(cookie) is not None
    assert Access(api.new_token(), lambda: START).session_expiry(cookie) is None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "localhost.evil.example", "10.0.0.1:8080", ""])
async def test_a_rebound_host_name_is_refused(host: str) -> None:
    async with visited() as client, client.get("/api/v1/fleet", headers={"host": host}) as answer:
        assert (answer.status, (await answer.json())["errors"][0]["path"]) == (421, "header.host")


async def test_probes_are_taken_by_address_but_not_by_a_strange_name() -> None:
    async with visited() as client:
        by_address = await ask(client.get("/healthz", headers={"host": "10.1.2.3:8080", "authorization": ""}))
        by_name = await ask(client.get("/metrics", headers={"host": "evil.example:8080"}))
        assert (by_address.status, by_name.status) == (200, 421)


@pytest.mark.parametrize(
    "shown", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "same-site"}]
)
async def test_another_site_is_refused_even_with_the_right_token(shown: dict[str, str]) -> None:
    async with visited() as client, client.get("/api/v1/fleet", headers=shown) as answer:
        assert answer.status == 403


async def test_the_pages_own_origin_is_welcome_and_a_link_from_elsewhere_leads_in() -> None:
    async with visited() as client:
        own = {"origin": str(client._base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
        assert (await ask(client.get("/api/v1/fleet", headers=own))).status == 200
        assert (await ask(client.get("/healthz", headers={"sec-fetch-site": "cross-site"}))).status == 200


async def test_every_answer_carries_the_security_headers() -> None:
    async with visited() as client:
        answers = [await ask(client.get(path)) for path in ("/", "/api/v1/fleet", "/healthz", "/nothing-here")]
        answers.append(await ask(client.get("/api/v1/fleet", headers={"host": "evil.example"})))
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def _jar() -> aiohttp.CookieJar:
    return aiohttp.CookieJar(unsafe=True)  # aiohttp calls cookies of an address instead of a name unsafe
