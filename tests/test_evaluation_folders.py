import numpy as np
import PIL.Image
import pytest

from ttsr_tf.data import folders
from ttsr_tf.errors import InputError


@pytest.fixture
def filled(tmp_path, rng):
    """Makes pictures of the names given; each is unlike the others."""

    def made(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(256, size=(4, 5, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(path)
        return str(tmp_path)

    return made


def names(picture_set):
    return [
        (case.name, case.hr.name, [ref.name for ref in case.refs], case.lr and case.lr.name)
        for case in picture_set.cases
    ]


@pytest.mark.parametrize("inside", ["", "CUFED5/", "test/CUFED5/"])
def test_groups(filled, inside):
    data_dir = filled(*(f"{inside}{group}_{k}.png" for group in ("007", "012") for k in range(6)))
    found = folders.load("folder", data_dir)
    assert names(found) == [
        (group, f"{group}_0.png", [f"{group}_{k}.png" for k in range(1, 6)], None)
        for group in ("007", "012")
    ]
    assert found.published_as == "CUFED5"
    with PIL.Image.open(f"{data_dir}/{inside}012_3.png") as image:
        np.testing.assert_array_equal(found.cases[1].refs[2].read(), image)


def test_bad_groups(filled, tmp_path):
    data_dir = filled(*(f"{group}_{k}.png" for group in ("007", "012") for k in range(6)))
    (tmp_path / "007_4.png").unlink()
    (tmp_path / "012_0.png").unlink()
    with pytest.raises(InputError, match=r"missing are 007_4, 012_0\. A group is NNN_0"):
        folders.load("folder", data_dir)
    filled("sheet.jpg")
    with pytest.raises(InputError, match=r"and beside them sheet\.jpg\. Remove"):
        folders.load("folder", data_dir)


def test_what_looks_like_groups_and_is_none(filled):
    data_dir = filled(*(f"img_{k}.png" for k in range(10)))
    with pytest.raises(InputError, match=r"beside them img_6\.png.* `layout`=pictures if these"):
        folders.load("folder", data_dir)
    found = folders.load("folder", data_dir, "pictures")
    assert [case.hr.name for case in found.cases] == [f"img_{k}.png" for k in range(10)]
    assert not any(case.refs for case in found.cases) and found.published_as is None


def test_the_layout_decides(filled):
    data_dir = filled(*(f"{kind}/007_{k}.png" for k in range(6) for kind in ("input", "ref", ".")))
    assert len(folders.load("folder", data_dir).cases) == 1
    assert len(folders.load("folder", data_dir, "groups").cases) == 1
    assert len(folders.load("folder", data_dir, "pairs").cases) == 6
    assert len(folders.load("folder", data_dir, "pictures").cases) == 6


def test_a_layout_that_is_not_there(filled):
    data_dir = filled("a.png", "b.png")
    with pytest.raises(InputError, match=r"holds no such test set: CUFED5's .* \(groups\)"):
        folders.load("folder", data_dir, "groups")
    with pytest.raises(InputError, match="input is missing: pairs are"):
        folders.load("folder", data_dir, "pairs")
    with pytest.raises(InputError, match="`layout` goes with `dataset`=folder, not urban100"):
        folders.load("urban100", data_dir, "pictures")


def test_sun80(filled, tmp_path):
    truths, matches = "Sun_Hays_SR_groundtruth", "Sun_Hays_SR_scenematches"
    data_dir = filled(
        *(f"{truths}/{name}.jpg" for name in "ba"),
        *(f"{matches}/a.jpg/{name}.jpg" for name in ("z", "x")),
        f"{matches}/b/y.png",  # as some unpack it
    )
    found = folders.load("sun80", data_dir)
    assert names(found) == [
        ("a", "a.jpg", ["x.jpg", "z.jpg"], None),
        ("b", "b.jpg", ["y.png"], None),
    ]
    assert found.published_as == "Sun80"
    (tmp_path / matches / "b/y.png").unlink()
    with pytest.raises(InputError, match=r"scenematches has no pictures for b\.jpg\."):
        folders.load("sun80", data_dir)
    with pytest.raises(InputError, match=r"groundtruth is missing: Sun80 is Sun_Hays"):
        folders.load("sun80", f"{data_dir}/{truths}")


def test_truths_with_and_without_lr(filled):
    data_dir = filled(
        *(f"image_SRF_4/{i}_SRF_4_{kind}.png" for i in (2, 1) for kind in ("HR", "LR"))
    )
    given = folders.load("folder", data_dir)
    assert names(given) == [
        (f"{i}_SRF_4", f"{i}_SRF_4_HR.png", [], f"{i}_SRF_4_LR.png") for i in (1, 2)
    ]
    assert given.published_as is None
    made = folders.load("urban100", data_dir)
    assert names(made) == [(f"{i}_SRF_4", f"{i}_SRF_4_HR.png", [], None) for i in (1, 2)]
    assert made.published_as == "Urban100"
    filled("image_SRF_4/3_SRF_4_HR.png")
    with pytest.raises(InputError, match=r"of \*_HR and \*_LR, missing are 3_SRF_4_LR"):
        folders.load("folder", data_dir)


def test_plain_pictures_and_pairs(filled, tmp_path):
    data_dir = filled("HR/b.png", "HR/a.jpg")
    found = folders.load("manga109", data_dir)
    assert names(found) == [("a", "a.jpg", [], None), ("b", "b.png", [], None)]
    assert found.name == f"manga109, folder of pictures, {data_dir}/HR"
    filled("pairs/input/a.png", "pairs/ref/a.jpg")
    found = folders.load("folder", f"{data_dir}/pairs")
    assert names(found) == [("a", "a.png", ["a.jpg"], None)]
    assert found.name == f"folder of pairs, {data_dir}/pairs"
    filled("all/train/input/b.png", "all/train/ref/b.png")  # as one trains on
    found = folders.load("folder", f"{data_dir}/all")
    assert names(found) == [("b", "b.png", ["b.png"], None)]
    assert found.name == f"folder of pairs, {data_dir}/all/train"
    filled("pairs/input/c.png")
    with pytest.raises(InputError, match=r"1 pictures without a partner .*, input/c\.png\. Add"):
        folders.load("folder", f"{data_dir}/pairs")
    filled("HR/a.png")
    with pytest.raises(InputError, match=r"differing only in their ending: a\. Rename"):
        folders.load("folder", data_dir)


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match=r"holds no such test set: CUFED5's NNN_0 … NNN_5"):
        folders.load("folder", str(tmp_path))
    with pytest.raises(InputError, match="`dataset`=sun80 needs `data_dir`, the folder of its"):
        folders.load("sun80", None)
    with pytest.raises(InputError, match=r"`data_dir`=.*none is not a folder"):
        folders.load("sun80", str(tmp_path / "none"))
