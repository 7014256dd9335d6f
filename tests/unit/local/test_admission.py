"""Admission: the cores are never promised twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from tuner.local.admission import Admission, cpu_share


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def hold(admission: Admission, cores: float, log: list[str], name: str, release: asyncio.Event) -> None:
    async with admission.share(cores):
        log.append(name)
        await release.wait()


def run(work: Coroutine[object, object, None]) -> None:
    asyncio.run(work)


def test_a_memory_size_buys_its_share_of_a_core() -> None:
    assert cpu_share(1769) == 1.0
    assert round(cpu_share(128), 4) == 0.0724


def test_the_account_concurrency_is_what_fits_at_the_smallest_size() -> None:
    assert Admission(2).concurrency == 20
    assert Admission(1).concurrency == 6


@pytest.mark.parametrize(
    ("cores", "at_once"),
    [((1.0, 1.0, 0.1), ["a"]), ((0.4, 0.4, 0.4), ["a", "b"])],
    ids=["the small one would fit but does not overtake", "a window that is given back is used at once"],
)
def test_work_that_does_not_fit_waits_and_is_served_in_order(cores: tuple[float, ...], at_once: list[str]) -> None:
    async def scenario() -> None:
        admission, log = Admission(2), list[str]()
        releases = [asyncio.Event() for _ in cores]
        tasks = [
            asyncio.create_task(hold(admission, wanted, log, name, release))
            for wanted, name, release in zip(cores, "abc", releases, strict=True)
        ]
        await settle()
        assert log == at_once
        releases[0].set()
        await settle()
        assert log == ["a", "b", "c"]
        for release in releases:
            release.set()
        await asyncio.gather(*tasks)

    run(scenario())


def test_three_on_two_cores_do_not_start_together() -> None:
    async def scenario() -> None:
        admission, log, release = Admission(2), list[str](), asyncio.Event()
        first = [asyncio.create_task(hold(admission, 0.4, log, name, release)) for name in "ab"]
        third_runs = asyncio.Event()

        async def third() -> None:
            async with admission.share(0.4):
                third_runs.set()

        last = asyncio.create_task(third())
        await settle()
        assert log == ["a", "b"]
        assert not third_runs.is_set(), "it would wait for a core in every period"
        await last
        assert not any(task.done() for task in first), "its window opened while both others still ran"
        release.set()
        await asyncio.gather(*first)

    run(scenario())


def test_whoever_is_alone_gets_all_cores() -> None:
    async def scenario() -> None:
        log, release = list[str](), asyncio.Event()
        release.set()
        await hold(Admission(2), 2.0, log, "large", release)
        assert log == ["large"]

    run(scenario())


def test_one_that_gives_up_waiting_leaves_its_place_to_the_next() -> None:
    async def scenario() -> None:
        admission, log, release = Admission(2), list[str](), asyncio.Event()
        first = asyncio.create_task(hold(admission, 1.5, log, "first", release))
        await settle()
        second = asyncio.create_task(hold(admission, 1.5, log, "second", release))
        third = asyncio.create_task(hold(admission, 1.5, log, "third", release))
        await settle()
        second.cancel()
        release.set()
        await asyncio.gather(first, third)
        assert log == ["first", "third"]

    run(scenario())
