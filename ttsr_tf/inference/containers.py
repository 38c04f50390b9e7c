"""What memory a container leaves its processes: Linux' control groups, versions 2 and 1."""

import pathlib

# Of each version: where a group's files are, its limit, its use, and within what its statistics
# call the files' cache, which the kernel gives up when memory gets short.
_V2 = "", "memory.max", "memory.current", "inactive_file"
_V1 = "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"


def available(groups="/sys/fs/cgroup", own="/proc/self/cgroup"):
    """Bytes that this process's groups leave it; None where none of them has a limit.

    Args:
        groups: where control groups are mounted.
        own: the file that says which ones are this process's.
    """
    left = [
        limit - used
        for folder, kind in _folders(pathlib.Path(groups), pathlib.Path(own))
        for limit, used in _limit(folder, kind)
    ]
    return max(min(left), 0) if left else None


def _folders(groups, own):
    """The folder of every group that the process is in, up to the outermost, and its kind."""
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:  # not Linux
        return
    for _, controllers, path in lines:
        if controllers and "memory" not in controllers.split(","):
            continue
        kind = _V1 if controllers else _V2
        root = groups / kind[0]
        # Within a container the path may be the host's, which isn't there: the root is its own.
        inner = pathlib.PurePosixPath(path.lstrip("/"))
        yield from ((root / folder, kind) for folder in (inner, *inner.parents))


def _limit(folder, kind):
    """The group's limit and use in bytes, if it has a limit."""
    _, limit, used, cached = kind
    try:
        given = (folder / limit).read_text().strip()
        statistics = dict(map(str.split, (folder / "memory.stat").read_text().splitlines()))
        if given != "max":
            yield int(given), int((folder / used).read_text()) - int(statistics.get(cached, 0))
    except (OSError, ValueError):  # no such group, or without these files
        return
