import itertools

from ttsr_tf.evaluation import extremes
from ttsr_tf.evaluation.results import Row


def row(picture, gain):
    return Row(picture, "L1", 20.0 + gain, 0.5, 20.0, 0.25, 0.75, 1, "r")


def test_extremes_by_what_is_above_bicubic():
    def found(*gains):
        rows = [row(str(i), gain) for i, gain in enumerate(gains)]
        return {name: row.picture for name, row in extremes.of(rows).items()}

    assert found(0, 5, -1, 3) == {"best": "1", "median": "3", "worst": "2"}
    assert found(1, 5, 3) == {"best": "1", "median": "2", "worst": "0"}
    assert found(1, 2) == {"best": "1", "worst": "0"}
    assert found(7) == {"best": "0"}


def test_candidates_hold_the_extremes_of_all_that_may_follow(rng):
    for count, left in itertools.product(range(1, 8), range(8)):
        rows = [row(str(i), g) for i, g in enumerate(rng.integers(5, size=count + left))]
        found = extremes.candidates(rows[:count], left)
        for failing in range(left + 1):  # some may not come
            shown = extremes.of(rows[: count + left - failing]).values()
            assert {r.picture for r in shown if r in rows[:count]} <= {r.picture for r in found}
    assert len(extremes.candidates(rows[:count], 0)) <= 3
    many = [row(f"{i:03}", -i) for i in range(126)]
    assert len(set(extremes.candidates(many[:64], 62))) == 64  # never more than half and an end
    assert len(set(extremes.candidates(many[:94], 32))) == 33 + 2
