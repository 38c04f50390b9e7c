"""Which pictures a report shows: those that came out best, in the middle and worst."""


def of(rows):
    """Of a choice's rows, the best, the median and the worst by PSNR above bicubic.

    Args:
        rows: list of `Row`, not empty.

    Returns:
        A dict of "best", "median", "worst" to `Row`; less where there are less pictures.
    """
    ordered = _ordered(rows)
    places = {"best": 0, "median": (len(rows) - 1) // 2, "worst": len(rows) - 1}
    found = {}
    for name, place in places.items():
        if ordered[place] not in found.values():
            found[name] = ordered[place]
    return found


def candidates(rows, left):
    """Of a choice's rows, those that may be among the extremes when more have come.

    Args:
        rows: list of `Row`, not empty.
        left: how many come at most.

    Returns:
        A list of `Row`.
    """
    ordered = _ordered(rows)
    # A row goes down by as many places as come before it, 0 … left; the median at most as far.
    last = (len(rows) + left - 1) // 2
    return [ordered[0], *ordered[max(last - left, 0) : last + 1], ordered[-1]]


def _ordered(rows):
    return sorted(rows, key=lambda row: (-row.gain, row.picture))
