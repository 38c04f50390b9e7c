import re

import numpy as np
import pytest

from ttsr_tf.data.sets import Case, PictureSet, Stored
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import references


def picture_set(refs, published_as=None, count=7):
    def stored(name):
        return Stored(name, None)

    cases = [
        Case(f"{i}", stored(f"{i}_0"), tuple(stored(f"{i}_{k + 1}") for k in range(refs)))
        for i in range(count)
    ]
    return PictureSet("the set", cases, published_as)


GROUPS = picture_set(5, "CUFED5")
MATCHES = picture_set(3, "Sun80")
ALONE = picture_set(0, "Manga109")


@pytest.mark.parametrize(
    ("flag", "of", "names"),
    [
        (None, GROUPS, ["L1"]),
        ("4", GROUPS, ["L4"]),
        ("levels", GROUPS, ["L1", "L2", "L3", "L4", "L5", "self"]),
        ("all", GROUPS, ["stitched", "best-of-five"]),
        ("3", MATCHES, ["match-3"]),
        (None, ALONE, ["self"]),
        ("random", ALONE, ["random-23"]),
        ("grey", GROUPS, ["grey"]),
        ("grey", ALONE, ["grey"]),
    ],
)
def test_choices(flag, of, names):
    choices = references.chosen(flag, of.outline, seed=23)
    assert [choice.name for choice in choices] == names
    assert choices == [references.named(name) for name in names]
    assert all(choice.protocol for choice in choices)


def test_choices_from_angles():
    def names(flag, of, *angles):
        return [c.name for c in references.chosen(flag, of.outline, seed=23, angles=angles)]

    assert names("4", GROUPS, 0, 20, 5, 20) == ["L4", "L4@20", "L4@5"]
    assert names("random", ALONE, 5) == ["random-23@5"]
    levels = names("levels", GROUPS, 0, 40)
    assert levels == [*(f"L{k}{at}" for k in range(1, 6) for at in ("", "@40")), "self"]
    choice = references.named("match-3@40")
    assert (choice.unwarped, choice.angle) == ("match-3", 40)
    assert choice.protocol.startswith(references.named("match-3").protocol)
    assert "turned by 40° about its middle and sheared by 20°" in choice.protocol
    for flag in ("self", "grey"):
        assert names(flag, GROUPS, 0) == [flag]
        with pytest.raises(InputError, match=f"needs references to warp, `references`={flag} has"):
            names(flag, GROUPS, 0, 5)


@pytest.mark.parametrize(
    ("flag", "of", "message"),
    [
        ("4", MATCHES, "`references`=4 doesn't go with the set: its pictures have 3 references."),
        ("4", MATCHES, "Give one of 1, 2, 3, self, grey."),
        ("1", ALONE, "its pictures have none"),
        ("levels", MATCHES, "aren't CUFED5's groups of one and five"),
        ("all", ALONE, "aren't CUFED5's groups of one and five"),
        ("random", GROUPS, "have references"),
        ("random", picture_set(0, count=1), "are less than two"),
    ],
)
def test_choices_that_are_not_there(flag, of, message):
    with pytest.raises(InputError, match=re.escape(message)):
        references.chosen(flag, of.outline)


def test_which_pictures():
    case = GROUPS.cases[2]

    def names(choice):
        found = references.of(references.named(choice), case, GROUPS.cases)
        return found and [ref.name for ref in found]

    assert names("L4") == ["2_4"]
    assert names("stitched") == names("best-of-five") == [f"2_{k}" for k in range(1, 6)]
    assert names("L4@20") == ["2_4"]
    assert names("best-of-five@20") == names("stitched")
    assert names("self") is None


def test_grey_is_flat():
    (stored,) = references.of(references.named("grey"), GROUPS.cases[1], GROUPS.cases)
    picture = stored.read()
    assert stored.size() == picture.shape[:2] == (500, 500)
    assert (picture == 128).all()


def test_random_is_another_picture_and_the_same_each_time():
    def drawn(seed):
        choice = references.named(f"random-{seed}")
        return [references.of(choice, case, ALONE.cases)[0].name for case in ALONE.cases]

    assert drawn(1) == drawn(1) != drawn(2)
    seen = {(i, name) for seed in range(60) for i, name in enumerate(drawn(seed))}
    assert seen == {(i, f"{j}_0") for i in range(7) for j in range(7) if i != j}


def test_cells_grow_with_the_largest(rng):
    refs = [rng.integers(1, 256, size=(*size, 3), dtype=np.uint8) for size in ((8, 500), (512, 4))]
    for number, side in ((1, 500), (2, 512)):
        cells = references.cells(refs[:number])
        for cell, ref in zip(cells, refs, strict=False):
            assert cell.shape == (side, side, 3)
            np.testing.assert_array_equal(cell[: ref.shape[0], : ref.shape[1]], ref)
            assert np.count_nonzero(cell) == ref.size
