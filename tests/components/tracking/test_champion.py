"""The champion's place: one mover at a time, any move taken back, every move remembered."""

import multiprocessing
from pathlib import Path

import pytest

from components.core.errors import UsageError
from components.tracking.champion import history, promote, rollback
from components.tracking.claims import Claims, PromotionConflictError
from components.tracking.registry import ModelRegistry
from components.tracking.store import open_store

SHORT_S = 5.0  # to wait for a promoter that is gone; a slow machine must still move within it


def move(registry, new, **more):
    given = {"by": "gate", "reason": "better", "tags": {}} | more
    return promote(registry, registry.champion(), new, **given)


def aliases(registry):
    found = {name: registry.alias(name) for name in ("champion", "previous", "challenger")}
    return {name: version.number for name, version in found.items() if version}


def test_first_and_second_champion(registry, register):
    v1, v2 = register("b1"), register("b2")
    assert move(registry, v1).replaced is None
    registry.set_alias("challenger", v2.number)
    second = move(registry, v2, tags={"tailwatch.verdict": "PROMOTE"})
    assert (second.number, second.replaced) == (2, 1)
    assert aliases(registry) == {"champion": 2, "previous": 1}
    assert registry.champion().tags["tailwatch.verdict"] == "PROMOTE"


def test_whoever_compared_with_an_older_champion_comes_too_late(registry, register):
    v1, v2, v3 = (register(bundle) for bundle in ("b1", "b2", "b3"))
    move(registry, v1)
    seen = registry.champion()
    move(registry, v2)
    with pytest.raises(PromotionConflictError, match=r"moved the champion at the same time.*promote` again"):
        promote(registry, seen, v3, by="gate", reason="better", tags={})
    assert aliases(registry)["champion"] == 2


def test_the_same_champion_after_a_detour_is_not_the_champion_compared_with(registry, register):
    v1, v2, v3 = (register(bundle) for bundle in ("b1", "b2", "b3"))
    move(registry, v1)
    seen = registry.champion()
    move(registry, v2)
    rollback(registry, by="ann", reason="false alarms")
    assert registry.champion().number == seen.number
    with pytest.raises(PromotionConflictError):
        promote(registry, seen, v3, by="gate", reason="better", tags={})


def test_a_promoter_that_crashed_with_the_number_in_hand_is_passed_over(registry, register):
    v1, v2 = register("b1"), register("b2")
    move(registry, v1)
    Claims(registry.store, "tailwatch-promotion", SHORT_S).take(1, lambda: True)
    assert move(registry, v2, patience_s=SHORT_S).number == 3
    assert [one.number for one in history(registry)] == [3, 1]


def test_a_promoter_that_slept_gives_up(registry, register, monkeypatch):
    v1, v2 = register("b1"), register("b2")
    move(registry, v1)
    monkeypatch.setattr("components.tracking.claims.USABLE_SHARE", 0.0)
    with pytest.raises(PromotionConflictError):
        move(registry, v2)
    assert aliases(registry)["champion"] == 1


def test_a_later_number_voids_an_earlier_one(registry, register):
    move(registry, register("b1"))
    claims = Claims(registry.store, "tailwatch-promotion", 0.0)
    early = claims.take(1, lambda: True)
    late = claims.take(1, lambda: True)
    assert (early.number, late.number) == (2, 3)
    with pytest.raises(PromotionConflictError):
        claims.check(early, lambda: True)


def test_the_champion_is_not_promoted_again(registry, register):
    v1 = register("b1")
    move(registry, v1)
    with pytest.raises(UsageError, match="is the champion already"):
        move(registry, v1)


def test_rollback_and_back_again(registry, register):
    for bundle in ("b1", "b2", "b3"):
        move(registry, register(bundle))
    assert rollback(registry, by="ann", reason="false alarms").version == 2
    assert rollback(registry, by="ann", reason="still").version == 1
    assert aliases(registry) == {"champion": 1}
    rollback(registry, by="ben", reason="mended", to=3)
    moves = history(registry)
    assert [(one.action, one.version, one.replaced, one.by) for one in moves] == [
        ("rollback", 3, 1, "ben"),
        ("rollback", 1, 2, "ann"),
        ("rollback", 2, 3, "ann"),
        ("promote", 3, 2, "gate"),
        ("promote", 2, 1, "gate"),
        ("promote", 1, None, "gate"),
    ]


def test_rollback_passes_no_gate_so_it_leads_to_champions_only(registry, register):
    with pytest.raises(UsageError, match="tailwatch has no champion"):
        rollback(registry, by="ann", reason="-")
    move(registry, register("b1"))
    with pytest.raises(UsageError, match="Version 1 of tailwatch replaced no other"):
        rollback(registry, by="ann", reason="-")
    other = register("b2")
    with pytest.raises(UsageError, match="Version 2 of tailwatch never was champion"):
        rollback(registry, by="ann", reason="-", to=other.number)


def _promote_at_once(folder: Path, number: int, barrier, outcomes) -> None:
    registry = ModelRegistry(open_store(folder), "tailwatch")
    champion, new = registry.champion(), registry.version(number)
    barrier.wait(60)
    try:
        promote(registry, champion, new, by=f"process {number}", reason="better", tags={})
    except PromotionConflictError:
        outcomes.put((number, "second"))
    else:
        outcomes.put((number, "first"))


def test_of_promotions_at_once_one_wins(registry, register, mlflow_project):
    move(registry, register("b1"))
    context = multiprocessing.get_context("spawn")
    barrier, outcomes = context.Barrier(2), context.Queue()
    numbers = [register(bundle).number for bundle in ("b2", "b3")]
    processes = [
        context.Process(target=_promote_at_once, args=(mlflow_project, number, barrier, outcomes))
        for number in numbers
    ]
    for process in processes:
        process.start()
    results = dict(outcomes.get(timeout=90) for _ in processes)
    for process in processes:
        process.join(30)
    assert sorted(results.values()) == ["first", "second"]
    winner = next(number for number, result in results.items() if result == "first")
    assert aliases(registry) == {"champion": winner, "previous": 1}
    assert [one.version for one in history(registry)] == [winner, 1]
