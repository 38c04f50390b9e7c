import numpy as np
import PIL.Image
import pytest
import tensorflow_datasets as tfds

from tfds_cufed5.tfds_cufed5_dataset_builder import Builder
from ttsr_tf.data import cufed5, folders
from ttsr_tf.errors import InputError


def built(tmp_path, *names):
    for i, name in enumerate(names):
        path = tmp_path / "manual" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(256, size=(9 + i, 14, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(path)
    builder = Builder(data_dir=str(tmp_path / "data"))
    config = tfds.download.DownloadConfig(manual_dir=str(tmp_path / "manual"))
    builder.download_and_prepare(download_config=config)
    return str(tmp_path / "data")


@pytest.mark.filterwarnings("ignore")  # TFDS's own, and that these are less than 126 groups
def test_gives_what_the_folder_gives(tmp_path):
    groups = [f"{group}_{k}" for group in ("003", "001", "002") for k in range(6)]
    data_dir = built(tmp_path, *(f"test/CUFED5/{name}.png" for name in groups))
    found = cufed5.load(data_dir)
    expected = folders.load("folder", str(tmp_path / "manual"))
    assert found.published_as == "CUFED5"
    assert found.name == "tfds_cufed5/strict/1.0.0"
    assert [case.name for case in found.cases] == ["001", "002", "003"]
    for case, other in zip(found.cases, expected.cases, strict=True):
        for one, two in zip((case.hr, *case.refs), (other.hr, *other.refs), strict=True):
            assert f"{one.name}.png" == two.name
            np.testing.assert_array_equal(one.read(), two.read())


@pytest.mark.filterwarnings("ignore")
def test_not_built(tmp_path):
    with pytest.raises(InputError, match=r"isn't built in .*tfds build tfds_cufed5 --manual_dir="):
        cufed5.load(str(tmp_path))
    data_dir = built(tmp_path, "train/input/a.png", "train/ref/a.png")
    with pytest.raises(InputError, match="with its test pictures isn't built"):
        cufed5.load(data_dir)
