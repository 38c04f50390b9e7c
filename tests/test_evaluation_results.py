import math

import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.evaluation.results import Results, Row, means, read

PROTOCOL = {"data_set": "a folder, “x”", "test_y_channel": "true"}


def row(**changed):
    values = Row("a, b", "L1", 20.125, 0.5, 18.0, 0.1 + 0.2, 0.75, 2, "r1 r2")
    return values._replace(**changed)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.csv"


def test_rows_come_back(path):
    results = Results(path, PROTOCOL)
    written = [row(), row(picture="c", psnr=math.inf), row(references="self")]
    for one in written:
        results.add(one)
    found = Results(path, PROTOCOL)
    assert found.rows == written
    assert found.has("c", "L1")
    assert not found.has("c", "self")


def test_half_a_line_is_dropped_wherever_it_ends(path):
    results = Results(path, PROTOCOL)
    results.add(row())
    whole = path.read_bytes()
    results.add(row(picture="c"))
    content = path.read_bytes()
    for length in range(len(whole), len(content)):
        path.write_bytes(content[:length])
        assert Results(path, PROTOCOL).rows == [row()]
        assert path.read_bytes() == whole
    header = whole.index(b"\n") + 1
    for length in range(header):
        path.write_bytes(content[:length])
        assert Results(path, PROTOCOL).rows == []
        assert path.read_bytes() == whole[:header]


def test_another_protocol_is_refused_and_kept(path):
    Results(path, PROTOCOL).add(row())
    before = path.read_text()
    with pytest.raises(
        InputError, match="holds numbers with test_y_channel 'true', this run is with 'false'"
    ):
        Results(path, {**PROTOCOL, "test_y_channel": "false"})
    assert read(path, PROTOCOL) == [row()]
    with pytest.raises(InputError, match=r"is of another version of ttsr-tf, or"):
        Results(path, {"test_y_channel": "true"})
    with open(path, "a") as file:
        file.write("x,y\n")
    with pytest.raises(InputError, match="line 3 is damaged"):
        Results(path, PROTOCOL)
    assert path.read_text() == before + "x,y\n"


def test_lpips_has_columns_where_the_protocol_has_it(path):
    Results(path, PROTOCOL).add(row())
    assert "lpips" not in path.read_text()
    with_lpips = {**PROTOCOL, "lpips_network": "alex"}
    with pytest.raises(
        InputError, match=r"or of another choice of `lpips`\. Choose another `output"
    ):
        Results(path, with_lpips)
    path.unlink()
    measured = row(lpips=0.1 + 0.2, bicubic_lpips=0.5)
    Results(path, with_lpips).add(measured)
    assert Results(path, with_lpips).rows == [measured]
    assert path.read_text().startswith("picture,references,psnr,")
    assert ",reference_pictures,lpips,bicubic_lpips,data_set," in path.read_text()
    mean = means([measured, row(lpips=0.5, bicubic_lpips=0.75)])
    assert (mean["lpips"], mean["bicubic_lpips"]) == (0.4, 0.625)


def test_a_file_that_can_not_be_written(path):
    results = Results(path, PROTOCOL)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"Can't write .*results\.csv \(Is a directory\)"):
        results.add(row())
    assert results.rows == []


def test_means_and_gain():
    mean = means([row(), row(psnr=24.125, similarity=0.25)])
    assert mean == {
        "psnr": 22.125,
        "ssim": 0.5,
        "bicubic_psnr": 18.0,
        "bicubic_ssim": 0.1 + 0.2,
        "similarity": 0.5,
    }
    assert row().gain == 2.125
    assert row(psnr=math.inf, bicubic_psnr=math.inf).gain == 0
