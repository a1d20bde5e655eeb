"""The split of a build over machines: a whole, even, steady, and nothing that is bought together is parted."""

import random
from collections import Counter

import pytest

from clipbuild import shards
from clipbuild.errors import UsageError


def weights(count: int, chance: random.Random) -> dict[str, float]:
    return {f"sku-{n}": chance.choice([1.0, 2.0, 5.0, 9.0]) for n in range(count)}


def test_the_parts_make_the_whole_and_are_even() -> None:
    """Every group in exactly one shard, and no shard over its share by more than a twentieth and one group."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    for count in (1, 2, 3, 7, 16):
        heavy = weights(500, chance)
        found = shards.split(heavy, count)
        assert set(found) == set(heavy)
        assert set(found.values()) <= set(range(1, count + 1))
        load = Counter[int]()
        for group, shard in found.items():
            load[shard] += heavy[group]  # type: ignore[assignment]
        share = sum(heavy.values()) / count
        assert max(load.values()) <= share * shards.SLACK + max(heavy.values())


def test_order_and_machine_do_not_matter() -> None:
    """The split depends on the groups and their weights, not on the order in which they come."""
    heavy = weights(200, random.Random(1))
    shuffled = dict(random.Random(2).sample(list(heavy.items()), len(heavy)))
    assert shards.split(heavy, 5) == shards.split(shuffled, 5)


def test_a_few_new_products_move_few_others() -> None:
    """One product in a hundred more: at most one in ten changes its shard."""
    heavy = weights(1000, random.Random(3))
    before = shards.split(heavy, 4)
    after = shards.split({**heavy, **{f"new-{n}": 5.0 for n in range(10)}}, 4)
    moved = sum(before[group] != after[group] for group in heavy)
    assert moved <= 100, moved


def test_what_is_tied_is_one_group() -> None:
    """Ties join, also over several steps."""
    found = shards.groups("abcdef", [["b", "a"], ["c", "b"], ["e", "f"]])
    assert found == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e", "f": "e"}


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "a/b", "-1/2", "1/2/3", "¹/2", "1/100000"])
def test_what_is_no_part_of_a_whole_is_an_error(text: str) -> None:
    """With an example of one that is."""
    with pytest.raises(UsageError, match="shard"):
        shards.parse(text)
    assert shards.parse("2/5") == shards.Shard(2, 5)
