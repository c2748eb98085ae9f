from __future__ import annotations

import math

import numpy as np
from tests.loop.scenes import FLEET, START, WEB, policies

from podium.ledger.entry import chained
from podium.loop.orders.order import Direction, Order, Target, draft_order, read_order
from podium.loop.orders.orders import Orders, draft_orders, fold, read_orders
from podium.loop.tabulate import tabulate

EVERYTHING, SHOP, ONE = Target("fleet"), Target("namespace", "local/shop"), Target("workload", str(WEB))


def pause(
    target: Target = ONE, direction: Direction = "both", *, at: float = START, until: float | None = None
) -> Order:
    return Order(
        id=f"{at}", at=at, what="pause", target=target, by="token", reason="a sale", direction=direction, until=until
    )


def resume(target: Target = ONE, direction: Direction = "both") -> Order:
    return Order(
        id="r", at=START + 60, what="resume", target=target, by="token", reason="it is over", direction=direction
    )


def believe(at: float) -> Order:
    return Order(id="b", at=at, what="believe", target=Target("source", "prom"), by="token", reason="a quiet night")


def test_a_pause_ends_by_its_time_and_not_before() -> None:
    orders = fold([pause(until=START + 60)])
    assert orders.at(START + 59.9, START) == orders
    assert orders.at(START + 60, START) == Orders()


def test_what_is_taken_back_is_what_was_ordered_of_the_same_target() -> None:
    orders = fold([pause(EVERYTHING), pause(SHOP), pause(ONE), resume(SHOP)])
    assert [one.target for one in orders.pauses] == [EVERYTHING, ONE]


def test_a_direction_is_taken_back_alone() -> None:
    orders = fold([pause(direction="up"), pause(direction="down"), resume(direction="up")])
    assert [one.direction for one in orders.pauses] == ["down"]


def test_a_newer_pause_of_the_same_target_and_direction_takes_the_place_of_the_older() -> None:
    newer = pause(at=START + 5, until=START + 900)
    assert fold([pause(), newer]).pauses == (newer,)


def test_a_belief_is_followed_by_the_first_turn_after_it_alone() -> None:
    orders = fold([believe(START + 7)])
    assert orders.at(START + 15, START) == orders
    assert orders.at(START + 30, START + 15) == Orders()
    assert orders.at(START + 15, math.nan) == orders


def test_of_several_pauses_the_one_that_lasts_longest_is_named() -> None:
    brief, open_ended = pause(until=START + 60), pause(EVERYTHING, "down")
    ordered = fold([open_ended, brief]).over(tabulate(policies(), FLEET), FLEET).ordered
    assert ordered is not None
    assert (ordered.up.tolist(), ordered.down.tolist()) == ([1], [0])
    assert np.isnan(ordered.until[0])


def test_a_pause_of_another_namespace_concerns_nobody_here() -> None:
    ordered = fold([pause(Target("namespace", "local/till"))]).over(tabulate(policies(), FLEET), FLEET).ordered
    assert ordered is not None
    assert ordered.up.tolist() == [-1]


def test_orders_come_back_from_the_ledger_as_they_were() -> None:
    orders = fold([pause(until=START + 1e-6), believe(START + 0.123456)])
    entry = chained(draft_orders(orders, START), seq=1, epoch=1, previous=bytes(32))
    assert (read_orders(entry), entry.subject) == (orders, orders.digest)
    one = chained(draft_order(orders.pauses[0]), seq=1, epoch=1, previous=bytes(32))
    assert (read_order(one), one.actor) == (orders.pauses[0], "token")


def test_nothing_ordered_has_no_digest_and_leaves_the_table_alone() -> None:
    table = tabulate(policies(), FLEET)
    assert (Orders().digest, Orders().over(table, FLEET).ordered) == ("", None)
