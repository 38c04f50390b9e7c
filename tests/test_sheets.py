import numpy as np

from ttsr_tf.images import sheets


def test_attention(rng):
    refs = [np.zeros((14, 20, 3), np.uint8), np.zeros((8, 24, 3), np.uint8)]
    source = rng.integers(2, size=(6, 8), dtype=np.int32)
    index = rng.integers(12, size=(6, 8), dtype=np.int32)  # 3×5 and 2×6 places
    confidence = rng.uniform(0, 1, (6, 8)).astype(np.float32)
    result = {"source": source, "index": index, "confidence": confidence}
    first, second, used, shown = sheets.attention_panels(result, refs)
    assert first[0] == f"reference 1, used for {(source == 0).mean():.0%}, tinted by place"
    assert used[0] == "where textures came from"
    tinted = [first[1], second[1]]
    assert [picture.shape for picture in tinted] == [(12, 20, 3), (8, 24, 3)]
    colours = {tuple(picture[y, x]) for picture in tinted for y in (0, 4) for x in range(0, 20, 4)}
    assert len(colours) >= 19  # of 20 places: their own, but for rounding
    for y in range(24):
        for x in range(32):
            place = source[y // 4, x // 4], index[y // 4, x // 4]
            row, column = divmod(place[1], (5, 6)[place[0]])
            # Half of a black picture and half of the tint.
            np.testing.assert_array_equal(used[1][y, x] // 2, tinted[place[0]][4 * row, 4 * column])
    assert shown[0] == "similarity, 0.00 in all"  # of a mean of about a half
    similarity = np.clip((confidence - 0.77) / 0.23, 0, 1)
    assert 0 < similarity.mean() < 1
    np.testing.assert_allclose(shown[1][::4, ::4, 1], 255 * similarity, rtol=0, atol=0.5001)
