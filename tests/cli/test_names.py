"""Short names of workloads."""

from __future__ import annotations

import pytest

from podium.cli.names import resolve
from podium.cli.outcome import BadInput
from podium.model.identity import WorkloadKey

KNOWN = [
    WorkloadKey.parse(text)
    for text in (
        "local/shop/deployment.apps/web",
        "local/media/deployment.apps/web",
        "local/shop/statefulset.apps/store",
        "local/shop/deployment.apps/cart",
        "local/shop/statefulset.apps/cart",
    )
]


@pytest.mark.parametrize(
    ("short", "meant"),
    [
        ("store", "local/shop/statefulset.apps/store"),
        ("shop/web", "local/shop/deployment.apps/web"),
        ("local/shop/web", "local/shop/deployment.apps/web"),
        ("statefulset/cart", "local/shop/statefulset.apps/cart"),
        ("statefulset.apps/cart", "local/shop/statefulset.apps/cart"),
        ("shop/Deployment/cart", "local/shop/deployment.apps/cart"),
        ("local/media/deployment.apps/web", "local/media/deployment.apps/web"),
    ],
)
def test_enough_of_a_key_means_the_workload(short: str, meant: str) -> None:
    assert str(resolve(short, KNOWN)) == meant


def test_a_name_of_several_is_answered_with_all_of_them() -> None:
    with pytest.raises(BadInput) as refused:
        resolve("web", KNOWN)
    assert str(refused.value) == (
        "'web' means 2 workloads; say which:\n  local/media/deployment.apps/web\n  local/shop/deployment.apps/web"
    )


def test_an_unknown_name_is_answered_with_the_nearest_and_all_that_are_known() -> None:
    with pytest.raises(BadInput, match=r"^no workload 'stor'; did you mean store\?; known are:\n") as refused:
        resolve("stor", KNOWN)
    assert [line.strip() for line in str(refused.value).split("\n")[1:]] == sorted(map(str, KNOWN))


def test_a_name_in_the_wrong_namespace_is_not_taken_for_another() -> None:
    with pytest.raises(BadInput):
        resolve("media/store", KNOWN)
