import math

import numpy as np
import pytest

from ttsr_tf import TTSR, clusters
from ttsr_tf.errors import InputError
from ttsr_tf.inference import memory, tiles
from ttsr_tf.inference.litert import LiteRT
from ttsr_tf.weights import naming

REF = [(160, 160)]


@pytest.fixture
def model():
    return TTSR()


def test_a_picture_that_fits_stays_whole(model):
    assert tiles.cut(model, (90, 40), REF, memory_gb=4) == [(slice(0, 90), slice(0, 40))]


def test_tiles_cover_the_picture_once_within_the_memory(model):
    size, memory_gb = (301, 450), 1.5
    covered = np.zeros(size, int)
    cuts = tiles.cut(model, size, REF, memory_gb=memory_gb)
    for tile in cuts:
        covered[tile] += 1
        outer = tiles.surrounded(tile, size, model.tile_overlap)
        outer_size = [ends.stop - ends.start for ends in outer]
        assert memory.needed(model, size, REF, tile=outer_size) <= memory_gb * 2**30
        around = np.arange(4 * 301)[:, None] + 1000 * np.arange(4 * 450)
        big = tuple(slice(4 * ends.start, 4 * ends.stop) for ends in outer)
        own = tuple(slice(4 * ends.start, 4 * ends.stop) for ends in tile)
        np.testing.assert_array_equal(around[big][tiles.within(tile, outer, 4)], around[own])
    np.testing.assert_array_equal(covered, 1)
    assert len(cuts) > 1


def test_too_little_memory_says_how_much_is_enough(model):
    with pytest.raises(InputError, match=r"At least 1\.03 GiB .* 0\.50 may be used"):
        tiles.cut(model, (300, 300), REF, memory_gb=0.5)
    assert len(tiles.cut(model, (300, 300), REF, memory_gb=1.04)) > 1


def test_the_least_memory_of_a_small_picture_is_its_own(model):
    size = 20, 24
    least = memory.needed(model, size, REF) / 2**30
    assert tiles.cut(model, size, REF, memory_gb=least + 1e-6) == tiles.grid(size, 24)
    with pytest.raises(InputError, match=rf"At least {least:.2f} GiB"):
        tiles.cut(model, size, REF, memory_gb=0)


def test_a_small_network_gets_large_tiles(model):
    small = TTSR((1, 1, 1, 1), 8)
    counts = [len(tiles.cut(m, (300, 300), REF, memory_gb=1.5)) for m in (small, model)]
    assert counts[0] < counts[1]


@pytest.mark.parametrize("speed", [1e11, 1e12])
def test_tiles_are_bounded_in_time_where_that_is_wanted(model, monkeypatch, speed):
    monkeypatch.setattr(memory, "_flops_per_second", lambda model: speed)
    size, refs, limits = (700, 700), [(600, 900)], {"memory_gb": 64}

    def longest(cuts):
        outers = [tiles.surrounded(tile, size, model.tile_overlap) for tile in cuts]
        return max(memory.seconds_of_tile(model, tiles.size(o), refs) for o in outers)

    free = tiles.cut(model, size, refs, **limits)
    assert len(free) == 1 and longest(free) > 20
    cuts = tiles.cut(model, size, refs, **limits, seconds=20)
    assert longest(cuts) <= 20
    columns = len({column.start for _, column in cuts})
    fewer = tiles.grid(size, math.ceil(700 / (columns - 1)))
    assert longest(fewer) > 20  # they aren't smaller than they need be


def test_tiles_do_not_get_so_small_that_most_of_the_time_is_overlap(model, monkeypatch):
    monkeypatch.setattr(memory, "_flops_per_second", lambda model: 1e6)
    cuts = tiles.cut(model, (512, 300), REF, memory_gb=64, seconds=20)
    assert cuts == tiles.grid((512, 300), 128)
    assert len(tiles.cut(model, (90, 100), REF, memory_gb=64, seconds=20)) == 1


def test_the_time_of_one_piece_is_that_of_all_flops(model, monkeypatch):
    monkeypatch.setattr(memory, "_flops_per_second", lambda model: 1e9)
    assert memory.seconds(model, (90, 60), REF) == pytest.approx(model.flops((90, 60), REF) / 1e9)
    tile = memory.seconds_of_tile(model, (50, 60), REF)
    more = memory.seconds(model, (90, 60), REF, tile_sizes=[(50, 60)] * 3) - 3 * tile
    assert more == pytest.approx(
        (model.flops((90, 60), REF) - model.flops((90, 60), [(0, 0)])) / 1e9
    )


def test_bands_are_bounded_in_time_where_that_is_wanted(model, monkeypatch):
    monkeypatch.setattr(memory, "_flops_per_second", lambda model: 1e9)
    size, refs = (90, 60), [(40, 40), (160, 160)]
    assert tiles.bands(model, size, refs) == [slice(0, 90)]
    whole = memory.seconds_of_search(model, size, refs[1:])
    cuts = tiles.bands(model, size, refs, seconds=whole / 5)
    assert [(band.start, band.stop) for band in cuts] == [(18 * n, 18 * n + 18) for n in range(5)]
    assert len(tiles.bands(model, size, refs, seconds=whole / 1000)) == 11  # of 8 rows and more
    assert tiles.bands(model, size, [], seconds=1) == [slice(0, 90)]


@pytest.mark.parametrize("fast", [False, True])
def test_a_large_reference_takes_the_memory_of_its_keys_or_its_values(fast):
    """Not of both, and what encodes it no more than that of a band."""
    model, size = LiteRT(naming.path_of("ttsr-mini"), fast=fast), (3000, 4000)
    values = (2 if fast else 4) * 12e6 * (64 + 128 / 4 + 256 / 16)
    keys, encoding = 4 * 12e6 * model.query_channels / 16, 1_080 * 2**20
    fixed, lr = memory.LITERT.fixed, (100, 100)
    assert memory.needed(model, lr, [size]) == pytest.approx(fixed + values + encoding)
    search = keys + (clusters.memory(10**4, 12e6 / 16) if fast else 0)
    searching = keys + 4 * 10**4 * model.query_channels + max(search, encoding)
    held = memory.needed(model, lr, [size], encoded=True)
    assert held == pytest.approx(fixed + values + searching)
