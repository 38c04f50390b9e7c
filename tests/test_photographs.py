"""Pairs made of single photographs."""

import csv
import itertools
import os

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT
from skimage.transform import ProjectiveTransform, warp

from ttsr_tf.data import crops, folders, photographs, sample, sources
from ttsr_tf.data.photographs import PhotographsConfig
from ttsr_tf.errors import InputError
from ttsr_tf.images import files


def _photograph(rng, height=1056, width=1600):
    """Colours with details of 8 to 32 pixels: uint8 [H, W, 3]; its right third is flat."""
    layers = [
        PIL.Image.fromarray(rng.integers(256, size=(height // k, width // k, 3), dtype=np.uint8))
        for k in (8, 16, 32)
    ]
    resized = [layer.resize((width, height), PIL.Image.Resampling.BICUBIC) for layer in layers]
    picture = np.mean([np.asarray(one, np.float32) for one in resized], 0)
    picture[:, 2 * width // 3 :] = 90
    return np.uint8(np.rint(picture))


@pytest.fixture
def folder(tmp_path, rng):
    """Three photographs, one of them twice, and a flat one."""
    (tmp_path / "photographs" / "more").mkdir(parents=True)
    for i, name in enumerate(("a.png", "b.png", "more/c.jpg")):
        files.write(tmp_path / "photographs" / name, _photograph(rng, 1056 + 4 * i))
    again = (tmp_path / "photographs" / "b.png").read_bytes()
    (tmp_path / "photographs" / "more" / "z.png").write_bytes(again)
    flat = np.full((600, 600, 3), 100, np.uint8)
    files.write(str(tmp_path / "photographs" / "flat.png"), flat)
    return tmp_path / "photographs"


@pytest.fixture
def real(tmp_path, rng):
    """Sixty real pairs; the inputs are PNG, the references JPEG."""
    for kind, ending in (("input", "png"), ("ref", "jpg")):
        (tmp_path / "real" / kind).mkdir(parents=True)
        for i in range(60):
            picture = rng.integers(256, size=(20, 24, 3), dtype=np.uint8)
            files.write(str(tmp_path / "real" / kind / f"{'ab'[i % 2]}_{i:02}.{ending}"), picture)
    return tmp_path / "real"


def _made(output, **arguments):
    photographs.main(PhotographsConfig(output_dir=str(output), **arguments))
    with open(output / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def _content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_the_layout_is_that_of_training(tmp_path, folder):
    rows = _made(tmp_path / "pairs", photographs=folder)
    cases = folders.pairs(str(tmp_path / "pairs"))
    rows.sort(key=lambda row: row["name"])
    assert [row["name"] for row in rows] == [case.hr.name for case in cases]
    hashes = {sources.sha256(path): path.name for path in folder.glob("*.png")}
    for row, case in zip(rows, cases, strict=True):
        assert case.hr.read().shape == case.refs[0].read().shape == (256, 256, 3)
        assert hashes.get(row["sha256"], "c.jpg") == os.path.basename(row["source"])
    # Of 800 columns of the reduced photograph the first 533 have texture, and 528 rows.
    assert 3 * 4 <= sum(row["reference"] != crops.SAME for row in rows) <= 3 * 7
    assert {row["source"] for row in rows} == {"a.png", "b.png", os.path.join("more", "c.jpg")}


def test_the_seed_decides_on_everything(tmp_path, folder, real):
    def content(name, seed):
        _made(tmp_path / name, photographs=folder, pairs=real, seed=seed)
        return _content(tmp_path / name)

    first = content("first", 1)
    assert first == content("again", 1)
    other = content("other", 2)
    assert first["input/photograph_00000.png"] != other["input/photograph_00000.png"]


def test_pairs_of_a_photograph_do_not_depend_on_the_others(tmp_path, folder):
    before = _made(tmp_path / "before", photographs=folder)
    (folder / "a.png").unlink()
    after = _made(tmp_path / "after", photographs=folder)

    def inputs(rows, output):
        kept = [row for row in rows if row["source"] != "a.png"]
        return [(output / "input" / row["name"]).read_bytes() for row in kept]

    assert inputs(before, tmp_path / "before") == inputs(after, tmp_path / "after")


def test_shares(rng, monkeypatch):
    photograph = _photograph(rng)
    monkeypatch.setattr(crops, "seen_from", lambda *_: None)  # what takes the time
    monkeypatch.setattr(crops, "photographed_anew", lambda *_: None)
    kinds = [
        pair.kind
        for seed in range(40)
        for pair in crops.pairs(photograph, np.random.default_rng(seed))
    ]
    near, same = kinds.count(crops.NEAR), kinds.count(crops.SAME)
    assert abs(same / near - crops.SAME_SHARE) < 5 * np.sqrt(0.25 / near)
    kinds = [kind for kind in kinds if kind != crops.SAME]
    for kind, share in crops.SHARES.items():
        # Five standard deviations of a share of that many independent draws.
        tolerance = 5 * np.sqrt(share * (1 - share) / len(kinds))
        assert abs(kinds.count(kind) / len(kinds) - share) < tolerance, kind
    assert sum(crops.SHARES.values()) == pytest.approx(1)


def _correlation(a, b):
    return np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]


def test_the_same_is_the_pair_before_moved_by_whole_pixels(rng):
    pairs = list(crops.pairs(_photograph(rng), np.random.default_rng(5)))
    found = [(a, b) for a, b in itertools.pairwise(pairs) if b.kind == crops.SAME]
    assert found
    for near, same in found:
        assert near.kind == crops.NEAR
        np.testing.assert_array_equal(near.hr, same.hr)
        inner, moves = same.hr[16:-16, 16:-16], range(-8, 9)
        best = max(
            _correlation(inner, np.roll(same.ref, (dy, dx), (0, 1))[16:-16, 16:-16])
            for dy in moves
            for dx in moves
        )
        assert best > 0.9


def test_near_references_show_the_same_place(rng):
    double = _photograph(rng)
    small = crops._resized(PIL.Image.fromarray(double), 1 / 2)
    alike = []
    for place in ((0, 0), (130, 100), (272, 250)):
        hr = small[place[0] :, place[1] :][: crops.SIZE, : crops.SIZE]
        corners = crops.near(place, small.shape[:2], rng)
        ref = crops.photographed_anew(crops.seen_from(double, 2 * corners), rng)
        homography = ProjectiveTransform.from_estimate(
            sample.square(crops.SIZE), corners - place[::-1]
        )
        back = warp(ref, homography.inverse, cval=np.nan)
        seen = ~np.isnan(back)
        assert seen.mean() > 0.25
        # Of the light the correlation sees nothing but gamma and the colours' balance.
        alike.append(_correlation(back[seen], hr[seen]))
        assert _correlation(ref, hr) < 0.6
    assert min(alike) > 0.95


def test_near_places_stay_in_the_photograph_and_within_the_bounds(rng):
    shape, places = (500, 700), ((0, 0), (244, 444), (120, 200))
    widths, angles, shifts = [], [], []
    for n in range(600):
        place = places[n % 3]
        corners = crops.near(place, shape, rng)
        assert corners.min() >= 0 and (corners.max(0) <= (700, 500)).all()
        top = corners[3] - corners[0]  # x runs from the first corner to the last
        widths.append(np.hypot(*top) / crops.SIZE)
        angles.append(np.degrees(np.arctan2(top[1], top[0])))
        if place == places[2]:
            shifts.append(corners.mean(0) - np.add(place[::-1], crops.SIZE / 2))
    # Corners move by up to a twentieth each: a side's ends by a tenth, and by 7 degrees of 0.8.
    assert 0.7 <= min(widths) < 0.85 and 1.2 < max(widths) <= 1.36
    assert 8 < np.abs(angles).max() < 18 and abs(np.mean(angles)) < 1.5
    assert 0.2 < np.abs(shifts).max() / crops.SIZE < 0.31


def test_far_references_are_another_place_and_grey_ones_flat(rng):
    photograph, kinds = _photograph(rng), set()
    for seed in range(12):
        pairs = list(crops.pairs(photograph, np.random.default_rng(seed)))
        for pair in pairs:
            kinds.add(pair.kind)
            if pair.kind == crops.WRONG:
                assert pair.ref is None
            elif pair.kind == crops.GREY:
                assert len(np.unique(pair.ref)) == 1
            elif pair.kind == crops.FAR:
                # One of the other crops in another light, never this one.
                best = max(pairs, key=lambda other: _correlation(other.hr, pair.ref))
                assert best is not pair
                assert _correlation(best.hr, pair.ref) > 0.9
    assert kinds == {*crops.SHARES, crops.SAME}


def test_wrong_references_are_of_another_photograph(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(crops, "SHARES", {crops.WRONG: 1.0})
    rows = _made(tmp_path / "pairs", photographs=folder)
    inputs = {(tmp_path / "pairs/input" / row["name"]).read_bytes(): row for row in rows}
    for row in rows:
        ref = inputs[(tmp_path / "pairs/ref" / row["name"]).read_bytes()]
        assert ref["sha256"] != row["sha256"]
        assert row["reference"] == "wrong"


def test_flat_and_blurred_crops_are_left_out(rng):
    assert list(crops.pairs(np.full((1000, 1000, 3), 90, np.uint8), rng)) == []
    assert list(crops.pairs(_photograph(rng)[:510], rng)) == []  # a row too small
    columns = np.arange(1200)
    wave = np.broadcast_to(128 + 100 * np.sin(columns / 60)[:, None], (1200, 1200, 3))
    assert list(crops.pairs(np.uint8(wave), rng)) == []  # strong, but nothing is lost by bicubic
    for pair in crops.pairs(_photograph(rng), rng):
        assert np.greater_equal(crops.texture(pair.hr), crops.TEXTURE).all()


def test_texture_from_its_definition():
    # Stripes one pixel wide around 100: bicubic's fourth of the size holds only their mean.
    picture = np.full((256, 256, 3), 100, np.uint8)
    picture[::2] += 20
    assert crops.texture(picture) == pytest.approx((10, 10), abs=0.5)  # whole grey levels
    picture[:208] = 100  # more than half of the parts are flat, 48 of 256 rows aren't
    assert crops.texture(picture) == pytest.approx((10 * (48 / 256) ** 0.5, 0), abs=0.5)


def test_crops_of_one_scale_do_not_overlap(rng):
    photograph = rng.integers(256, size=(900, 1300, 3), dtype=np.uint8)
    places = crops.textured(photograph, rng)
    assert len(places) == 3 * 5
    for i, a in enumerate(places):
        for b in places[:i]:
            assert max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= crops.SIZE


def test_real_pairs_are_copied_and_some_get_a_wrong_reference(tmp_path, folder, real):
    rows = _made(tmp_path / "pairs", photographs=folder, pairs=real, leave_out="b_")
    copied = [row["name"] for row in rows if row["reference"] == "real"]
    assert copied == [f"a_{i:02}.png" for i in range(0, 60, 2)]
    for name in copied:
        for kind, file in (("input", name), ("ref", name.replace("png", "jpg"))):
            assert (tmp_path / "pairs" / kind / file).read_bytes() == (
                (real / kind / file).read_bytes()
            )
    wrong = [row["name"] for row in rows if row["name"].startswith("wrong_")]
    assert 0 < len(wrong) < 12  # 15 % of 22
    # Training validates on the first eight, so they are there once.
    assert not {name.removeprefix("wrong_") for name in wrong} & set(copied[:8])
    for name in wrong:
        path = tmp_path / "pairs" / "input" / name
        assert path.read_bytes() == (real / "input" / name.removeprefix("wrong_")).read_bytes()
        assert files.read(tmp_path / "pairs" / "ref" / name).rgb.shape == (256, 256, 3)
    assert len(folders.pairs(str(tmp_path / "pairs"))) == len(rows)


def test_only_what_is_listed_is_used(tmp_path, folder, capsys):
    listed = tmp_path / "list.csv"
    lines = [f"p,{name},{sources.sha256(folder / name)}" for name in ("b.png", "more/c.jpg")]
    listed.write_text("\n".join(["package,file,sha256", *lines, "q,gone.png,00"]))
    found = sources.found([str(folder)], str(listed))
    assert sorted(one.source for one in found) == ["b.png", os.path.join("more", "c.jpg")]
    assert capsys.readouterr().out == "Missing: 1 of 3 photographs: q: gone.png.\n"


def test_the_largest_picture_of_a_background_is_read(tmp_path, rng):
    pictures = [_photograph(rng, 64 * n, 48 * n) for n in (1, 3, 2)]
    data = b"\xff\xd8\xff but no JPEG"
    for i, picture in enumerate(pictures):
        files.write(str(tmp_path / f"{i}.jpg"), picture)
        data += b"eet" + (tmp_path / f"{i}.jpg").read_bytes()
    (tmp_path / "a.edj").write_bytes(data)
    expected = files.read(str(tmp_path / "1.jpg")).rgb
    np.testing.assert_array_equal(sources.read(str(tmp_path / "a.edj")), expected)
    (tmp_path / "b.edj").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"b\.edj holds no JPEG"):
        sources.read(str(tmp_path / "b.edj"))


def test_the_list_of_the_shipped_weights():
    with open(ROOT / "configs/mini_photographs.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["sha256"] for row in rows}) == len(rows) >= 60
    assert all(all(row.values()) and len(row["sha256"]) == 64 for row in rows)


def test_bad_input_is_one_line(tmp_path, folder, fails):
    output = f"--output_dir={tmp_path / 'pairs'}"
    line = fails("data.photographs", f"--photographs={tmp_path / 'none'}", output)
    assert line.endswith("none is not a folder. Give that of the pictures.")
    assert line.startswith("error: --photographs ")
    (tmp_path / "empty").mkdir()
    line = fails("data.photographs", f"--photographs={tmp_path / 'empty'}", output)
    assert "No photographs to use are in" in line
    given = f"--photographs={folder}"
    line = fails("data.photographs", given, f"--output_dir={folder}")
    assert line.startswith("error: --output_dir ") and "is not empty" in line
    line = fails("data.photographs", given, output, f"--pairs={folder}")
    assert "input is missing: pairs are input/NAME and ref/NAME." in line
    line = fails("data.photographs", given, output, "--list=gone.csv")
    assert line.startswith("error: --list gone.csv can't be read")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    line = fails("data.photographs", given, output, f"--list={tmp_path / 'bad.csv'}")
    assert "has no column 'sha256'" in line
    (folder / "damaged.png").write_bytes((folder / "a.png").read_bytes()[:5000])
    assert "damaged.png can't be read" in fails("data.photographs", given, output)


def test_one_photograph_is_not_enough(tmp_path, folder):
    for path in (*folder.glob("[ab].png"), folder / "more" / "z.png"):
        path.unlink()
    with pytest.raises(InputError, match="Fewer than two photographs are large and not flat"):
        _made(tmp_path / "pairs", photographs=folder)
