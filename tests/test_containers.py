"""What memory a container leaves, from files as the kernel writes them."""

import pytest

from ttsr_tf.inference import containers, memory

GIB = 2**30


@pytest.fixture
def group(tmp_path):
    """Writes a control group's files; gives what `available` finds."""

    def write(path, **files):
        folder = tmp_path / "groups" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            name = name.replace("memory_", "memory.", 1)
            (folder / name).write_text(f"{content}\n")

    def available(own):
        (tmp_path / "own").write_text(own)
        return containers.available(str(tmp_path / "groups"), str(tmp_path / "own"))

    write.available = available
    return write


def test_version_2_counts_what_the_cache_can_give(group):
    stat = f"anon 5\nfile 7\ninactive_file {GIB}"
    group("", memory_max=4 * GIB, memory_current=3 * GIB, memory_stat=stat)
    assert group.available("0::/\n") == 2 * GIB


def test_the_tightest_of_nested_groups_counts(group):
    group("a", memory_max=8 * GIB, memory_current=7 * GIB, memory_stat="inactive_file 0")
    group("a/b", memory_max=4 * GIB, memory_current=GIB, memory_stat="inactive_file 0")
    assert group.available("0::/a/b\n") == GIB
    assert group.available("0::/a\n") == GIB
    group("a", memory_max="max")
    assert group.available("0::/a/b\n") == 3 * GIB
    assert group.available("0::/a\n") is None


def test_version_1(group):
    group(
        "memory/docker/12",
        memory_limit_in_bytes=3 * GIB,
        memory_usage_in_bytes=GIB,
        memory_stat="total_inactive_file 5",
    )
    own = "12:cpu,cpuacct:/docker/12\n11:memory:/docker/12\n0::/system\n"
    assert group.available(own) == 2 * GIB + 5


def test_a_host_s_path_within_a_container(group):
    group("", memory_max=2 * GIB, memory_current=GIB, memory_stat="inactive_file 0")
    assert group.available("0::/kubepods/pod7/12\n") == GIB


def test_more_than_the_limit_is_nothing_left(group):
    group("", memory_max=GIB, memory_current=2 * GIB, memory_stat="inactive_file 0")
    assert group.available("0::/\n") == 0


def test_no_limit_and_no_groups(group, tmp_path):
    group("", memory_max="max", memory_current=5, memory_stat="inactive_file 0")
    assert group.available("0::/\n") is None
    assert containers.available(str(tmp_path), str(tmp_path / "none")) is None


def test_what_may_be_used_is_the_less(monkeypatch):
    monkeypatch.setattr(containers, "available", lambda: GIB)
    assert memory.allowed() == memory.TENSORFLOW.fixed + 0.8 * GIB
    monkeypatch.setattr(containers, "available", lambda: 2**60)
    free = memory.allowed()
    monkeypatch.setattr(containers, "available", lambda: None)
    assert memory.allowed() == pytest.approx(free, rel=0.2)
    assert memory.allowed(3) == 3 * GIB
