"""A real folder on a real disk, changed while it is watched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import shutil
from collections.abc import AsyncGenerator

import pytest
from tests.documents.samples import POLICY, SIGNAL

from podium import kinds
from podium.documents import folder
from podium.documents.collection import Documents
from podium.documents.problem import Invalid, Problem

PATIENCE_SECONDS = 30.0


def names(found: Documents | Invalid) -> list[str] | str:
    return str(found) if isinstance(found, Invalid) else [str(document.key) for document in found]


def other(name: str) -> str:
    return POLICY.replace("name: web", f"name: {name}")


def move(old: pathlib.Path, new: pathlib.Path) -> None:
    old.rename(new)


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "policies"
    (path / "deep").mkdir(parents=True)
    (path / "web.yaml").write_text(POLICY)
    (path / "deep" / "signals.yml").write_text(SIGNAL)
    return path


@contextlib.asynccontextmanager
async def watched(path: pathlib.Path) -> AsyncGenerator[Watch]:
    documents = kinds.folder(path)
    async with contextlib.aclosing(documents.changes(documents.load())) as changes:
        yield Watch(changes)


class Watch:
    def __init__(self, changes: AsyncGenerator[Documents | Invalid]) -> None:
        self._next = asyncio.ensure_future(anext(changes))
        self._changes = changes

    async def next(self) -> list[str] | str:
        found = await asyncio.wait_for(self._next, PATIENCE_SECONDS)
        self._next = asyncio.ensure_future(anext(self._changes))
        return names(found)


async def test_a_folder_is_one_set_however_deep(shop: pathlib.Path) -> None:
    (shop / "notes.txt").write_text("not a document")
    (shop / ".web.yaml.swp").write_text("an editor's")
    (shop / "web.yaml~").write_text("an editor's")
    assert names(kinds.folder(shop).load()) == ["Signal shop/requests_per_second", "ScalingPolicy shop/web"]


def test_mistakes_of_all_files_come_together(shop: pathlib.Path) -> None:
    (shop / "a.yaml").write_text("kind: [\n")
    (shop / "b.json").write_text('{"kind": "Signl", "apiVersion": "podium.dev/v1alpha1"}')
    with pytest.raises(Invalid) as caught:
        kinds.folder(shop).load()
    assert [(pathlib.Path(problem.origin).name, problem.line) for problem in caught.value.problems] == [
        ("a.yaml", 2),
        ("b.json", 1),
    ]


def test_a_folder_that_is_not_there_is_an_error_and_an_empty_one_is_not(tmp_path: pathlib.Path) -> None:
    assert len(kinds.folder(tmp_path).load()) == 0
    with pytest.raises(Invalid, match="expected a folder of documents; got nothing there"):
        kinds.folder(tmp_path / "nowhere").load()


def test_linked_folders_are_read_and_rings_of_links_end(shop: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "till.yaml").write_text(other("till"))
    (shop / "linked").symlink_to(tmp_path / "elsewhere")
    (shop / "ring").symlink_to(shop)
    assert "ScalingPolicy shop/till" in names(kinds.folder(shop).load())


def test_a_folder_that_cannot_be_listed_is_a_problem_and_not_empty(tmp_path: pathlib.Path) -> None:
    problems: list[Problem] = []
    assert list(folder._documents(tmp_path / "gone", problems)) == []
    assert [(problem.expected, problem.got) for problem in problems] == [
        ("a folder that can be listed", "No such file or directory")
    ]


def test_a_link_into_nowhere_is_named(shop: pathlib.Path) -> None:
    (shop / "gone.yaml").symlink_to(shop / "nowhere")
    with pytest.raises(Invalid, match=r"gone.yaml: expected a file that can be read; got no such file"):
        kinds.folder(shop).load()


def test_what_is_no_regular_file_is_named_and_never_waited_for(shop: pathlib.Path) -> None:
    os.mkfifo(shop / "pipe.yaml")
    (shop / "zero.yaml").symlink_to("/dev/zero")
    with pytest.raises(Invalid) as caught:
        kinds.folder(shop).load()
    expected = ("a file that can be read", "not a regular file")
    assert [(problem.expected, problem.got) for problem in caught.value.problems] == [expected] * 2


async def test_a_new_file_is_a_new_set(shop: pathlib.Path) -> None:
    async with watched(shop) as watch:
        (shop / "till.yaml").write_text(other("till"))
        assert await watch.next() == [
            "Signal shop/requests_per_second",
            "ScalingPolicy shop/till",
            "ScalingPolicy shop/web",
        ]


async def test_a_file_replaced_by_a_rename_is_seen(shop: pathlib.Path) -> None:
    async with watched(shop) as watch:
        (shop / ".new").write_text(other("till"))
        (shop / ".new").rename(shop / "web.yaml")
        assert await watch.next() == ["Signal shop/requests_per_second", "ScalingPolicy shop/till"]


async def test_a_mistake_is_reported_and_mended_without_a_gap(shop: pathlib.Path) -> None:
    async with watched(shop) as watch:
        (shop / "web.yaml").write_text(POLICY.replace("min: 2", "min: 99"))
        assert "expected at most max, which is 60; got 99" in await watch.next()
        (shop / "web.yaml").write_text(POLICY)
        assert await watch.next() == ["Signal shop/requests_per_second", "ScalingPolicy shop/web"]


async def test_a_comment_changes_nothing(shop: pathlib.Path) -> None:
    async with watched(shop) as watch:
        (shop / "web.yaml").write_text("# words\n" + POLICY)
        await asyncio.sleep(0.5)
        (shop / "till.yaml").write_text(other("till"))
        assert "ScalingPolicy shop/till" in await watch.next()


async def test_a_config_map_swapped_by_a_kubelet_is_seen(tmp_path: pathlib.Path) -> None:
    mount = tmp_path / "mount"
    for version, name in (("..2026_1", "web"), ("..2026_2", "till")):
        (mount / version).mkdir(parents=True)
        (mount / version / "policy.yaml").write_text(other(name) + "---\n" + SIGNAL)
    (mount / "..data").symlink_to("..2026_1")
    (mount / "policy.yaml").symlink_to("..data/policy.yaml")
    async with watched(mount) as watch:
        (mount / "..data_tmp").symlink_to("..2026_2")
        (mount / "..data_tmp").replace(mount / "..data")
        shutil.rmtree(mount / "..2026_1")
        assert await watch.next() == ["ScalingPolicy shop/till", "Signal shop/requests_per_second"]


async def test_a_folder_that_vanishes_is_reported_and_found_again(shop: pathlib.Path) -> None:
    async with watched(shop) as watch:
        move(shop, shop.with_name("away"))
        assert "expected a folder of documents; got nothing there" in await watch.next()
        move(shop.with_name("away"), shop)
        assert await watch.next() == ["Signal shop/requests_per_second", "ScalingPolicy shop/web"]


async def test_a_folder_replaced_by_another_is_watched_in_its_place(shop: pathlib.Path) -> None:
    new = shop.with_name("new")
    shutil.copytree(shop, new)
    async with watched(shop) as watch:
        move(shop, shop.with_name("old"))
        (new / "web.yaml").write_text(other("till"))
        move(new, shop)
        while "ScalingPolicy shop/till" not in await watch.next():
            pass
        (shop / "web.yaml").write_text(other("cart"))
        assert "ScalingPolicy shop/cart" in await watch.next()


async def test_a_single_file_may_be_watched(shop: pathlib.Path) -> None:
    file = shop / "deep" / "signals.yml"
    async with watched(file) as watch:
        file.write_text(SIGNAL.replace("requests_per_second", "queries"))
        assert await watch.next() == ["Signal shop/queries"]
