"""What the API answers: fleet, workloads, decisions, sources, and clear problems."""

from __future__ import annotations

import threading

import pytest
import structlog
from tests.api.fakes import START, WEB, FakeView, ask, visited, workload

from podium.api.queries import encode_cursor

ONE = f"/api/v1/workloads/{WEB}"
NAMES = [f"local/shop/deployment.apps/w{number:02}" for number in range(25)]


async def test_a_workload_is_shown_as_it_is_with_unknown_as_null() -> None:
    async with visited() as client:
        row = (await ask(client.get(ONE))).json()
    assert (row["key"], row["replicas"], row["expected"], row["troubles"]) == (WEB, 4, None, [])


async def test_reads_of_the_view_never_run_on_the_event_loop() -> None:
    view = FakeView()
    async with visited(view) as client:
        for path in ("/api/v1/fleet", ONE + "/series", "/api/v1/decisions"):
            assert (await ask(client.get(path))).status == 200
    assert threading.main_thread().name not in view.asked_on


async def test_pages_of_workloads_follow_each_other_without_a_gap_or_a_double() -> None:
    seen: list[str] = []
    async with visited(FakeView(*reversed(NAMES))) as client:
        query = {"limit": "10"}
        while True:
            page = (await ask(client.get("/api/v1/workloads", params=query))).json()
            seen += [row["key"] for row in page["items"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
    assert (seen, page["total"]) == (NAMES, 25)


async def test_pages_of_decisions_follow_each_other_although_a_tick_shares_one_time() -> None:
    view = FakeView(*NAMES[:7])
    seen: list[tuple[int, str]] = []
    async with visited(view) as client:
        query = {"limit": "3"}
        while True:
            page = (await ask(client.get("/api/v1/decisions", params=query))).json()
            seen += [(row["tick"], row["key"]) for row in page["items"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
    assert seen == [(row.tick, row.key) for row in reversed(view.recorded)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tenant:bank", ["ledger"]),
        ("shop mode:own", ["web"]),
        ("troubled:yes", ["jobs"]),
        ("name:web cluster:local", ["web"]),
        ("trusted:no", []),
        ("LEDG", ["ledger"]),
    ],
)
async def test_a_filter_keeps_what_all_its_words_say(text: str, names: list[str]) -> None:
    view = FakeView()
    view.rows = (
        workload(),
        workload("local/shop/deployment.apps/jobs", mode="recommend", troubles=("prom is silent",)),
        workload("local/bank/deployment.apps/ledger", mode="metric"),
    )
    async with visited(view) as client:
        page = (await ask(client.get("/api/v1/workloads", params={"filter": text}))).json()
    assert [row["key"].rpartition("/")[2] for row in page["items"]] == names


async def test_series_cover_the_window_that_was_asked_for_in_either_way_of_writing_time() -> None:
    async with visited() as client:
        written = {"since": "2025-11-21T09:50:00Z", "until": f"{START + 60}"}
        series = (await ask(client.get(ONE + "/series", params=written))).json()
    assert series["at"] == [START, START + 15, START + 30, START + 45, START + 60]


async def test_not_a_number_is_null_on_the_wire() -> None:
    async with visited() as client:
        forecast = (await ask(client.get(ONE + "/forecast"))).json()
    assert forecast["band"]["quantiles"] == {"0.5": [300.0], "0.95": [None]}


async def test_an_explanation_is_of_the_moment_that_was_asked_for() -> None:
    async with visited() as client:
        answer = (await ask(client.get(ONE + "/explain", params={"at": str(START + 50)}))).json()
    assert (answer["decision"]["tick"], answer["sentence"]) == (3, "5 because of the load.")


async def test_who_has_the_newest_answer_is_not_sent_it_again() -> None:
    view = FakeView()
    async with visited(view) as client:
        etag = (await ask(client.get("/api/v1/fleet"))).headers["etag"]
        same = await ask(client.get("/api/v1/fleet", headers={"if-none-match": f'"other", W/{etag}'}))
        view.turn()
        newer = await ask(client.get("/api/v1/fleet", headers={"if-none-match": etag}))
        assert (same.status, same.text, newer.status) == (304, "", 200)


async def test_clusters_and_sources_are_counted_from_what_is_known() -> None:
    view = FakeView()
    view.rows = (workload(), workload("east/bank/deployment.apps/ledger", replicas=None, ready=None))
    async with visited(view) as client:
        clusters = ((await ask(client.get("/api/v1/clusters"))).json())["items"]
        sources = ((await ask(client.get("/api/v1/sources"))).json())["items"]
    assert [(row["name"], row["replicas"], row["unknown"]) for row in clusters] == [("east", 0, 1), ("local", 4, 0)]
    assert [(row["name"], row["state"]) for row in sources] == [("prom", "ok")]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/workloads/local/shop/deployment.apps/nobody",
        "/api/v1/workloads/local/shop/deployment.apps/nobody/series",
        "/api/v1/stream?topics=workload:local/shop/deployment.apps/nobody",
        f"{ONE}/explain?at=1",
        "/api/v1/nothing",
        "/assets/none.js",
        "/assets/..%2fapp.py",
        f"/assets/{'a' * 300}.js",
    ],
)
async def test_what_is_not_there_is_a_problem_in_words(path: str) -> None:
    async with visited() as client, client.get(path) as answer:
        problem = await answer.json()
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
        assert (problem["title"], problem["detail"].endswith(".")) == ("Not Found", True)


@pytest.mark.parametrize(
    ("path", "where", "got"),
    [
        ("/api/v1/workloads?limit=ten", "query.limit", "ten"),
        ("/api/v1/workloads?limit=0", "query.limit", "0"),
        ("/api/v1/workloads?limt=5", "query.limt", "5"),
        ("/api/v1/workloads?cursor=%00%ff", "query.cursor", "\x00�"),
        ("/api/v1/workloads?cursor=bm8", "query.cursor", "bm8"),
        ("/api/v1/workloads?filter=colour:red", "query.filter", "colour:red"),
        ("/api/v1/workloads?filter=trusted:maybe", "query.filter", "trusted:maybe"),
        ("/api/v1/workloads?filter=state:tired", "query.filter", "state:tired"),
        ("/api/v1/workloads?state=held,tired", "query.state", "held,tired"),
        ("/api/v1/workloads?sort=colour", "query.sort", "colour"),
        ("/api/v1/workloads?sort=--use", "query.sort", "--use"),
        ("/api/v1/workloads?recent=99999999", "query.recent", "99999999"),
        (
            f"/api/v1/workloads?cursor={encode_cursor('use', 'x', 'y')}&sort=use",
            "query.cursor",
            encode_cursor("use", "x", "y"),
        ),
        (
            f"/api/v1/workloads?cursor={encode_cursor('key', None, 'y')}&sort=use",
            "query.cursor",
            encode_cursor("key", None, "y"),
        ),
        ("/api/v1/tenants?cursor=bm8", "query.cursor", "bm8"),
        (f"{ONE}/series?points=1", "query.points", "1"),
        ("/api/v1/decisions?before=yesterday", "query.before", "yesterday"),
        ("/api/v1/decisions?changed=perhaps", "query.changed", "perhaps"),
        (f"{ONE}/series?since=nan", "query.since", "nan"),
        (f"{ONE}/series?since=2025-11-21T09:50:00", "query.since", "2025-11-21T09:50:00"),
        (f"{ONE}/series?since=1&until=2000000000", "query.since", "1.0"),
        (f"{ONE}/series?since=20&until=10", "query.since", "20.0"),
        ("/api/v1/stream?topics=weather", "query.topics", "weather"),
        ("/api/v1/stream?topics=", "query.topics", "0 topics, 0 workloads"),
    ],
)
async def test_garbage_is_named_with_its_place(path: str, where: str, got: str) -> None:
    async with visited() as client, client.get(path) as answer:
        problem = await answer.json()
        assert (answer.status, answer.content_type) == (400, "application/problem+json")
        assert [(fault["path"], fault["got"]) for fault in problem["errors"]] == [(where, got)]
        assert problem["errors"][0]["expected"]


async def test_all_faults_of_a_request_come_at_once() -> None:
    async with visited() as client, client.get("/api/v1/workloads?limit=ten&limt=5") as answer:
        problem = await answer.json()
    assert problem["detail"] == "2 values are not as expected."
    assert {fault["path"] for fault in problem["errors"]} == {"query.limit", "query.limt"}


async def test_a_wrong_method_is_a_problem_too() -> None:
    async with visited() as client, client.post("/api/v1/fleet") as answer:
        assert (answer.status, (await answer.json())["detail"]) == (405, "/api/v1/fleet does not take POST.")


async def test_a_fault_of_ours_is_one_line_for_the_caller_and_whole_in_the_log() -> None:
    view = FakeView()
    view.broken = RuntimeError("the disk is gone")
    with structlog.testing.capture_logs() as logged:
        async with visited(view) as client:
            answer = await ask(client.get("/api/v1/fleet"))
    assert (answer.status, "disk" in answer.text) == (500, False)
    assert [(line["path"], line["exc_info"]) for line in logged] == [("/api/v1/fleet", view.broken)]


async def test_the_api_documents_its_own_shapes() -> None:
    async with visited() as client:
        document = (await ask(client.get("/api/v1/openapi.json"))).json()
    shapes = document["components"]["schemas"]
    assert {"FleetView", "WorkloadSeries", "Explanation", "DecisionPage", "Body"} <= set(shapes)
    answer = document["paths"]["/api/v1/workloads/{cluster}/{namespace}/{kind}/{name}"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/WorkloadRow"}
