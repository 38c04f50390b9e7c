"""Published numbers, for beside the measured ones (Yang et al., CVPR 2020; the released files)."""

from ttsr_tf.data.sets import CUFED5

PICTURES = {CUFED5: 126, "Sun80": 80, "Urban100": 100, "Manga109": 109}

# PSNR in dB and SSIM, as printed.
_MAIN = {  # table 1; of CUFED5 with five references stitched, of Sun80 with one at random
    "TTSR-rec": {
        CUFED5: "27.09 / .804",
        "Sun80": "30.02 / .814",
        "Urban100": "25.87 / .784",
        "Manga109": "30.09 / .907",
    },
    "TTSR": {
        CUFED5: "25.53 / .765",
        "Sun80": "28.59 / .774",
        "Urban100": "24.62 / .747",
        "Manga109": "28.70 / .886",
    },
    "SRNTT-rec": {
        CUFED5: "26.24 / .784",
        "Sun80": "28.54 / .793",
        "Urban100": "25.50 / .783",
        "Manga109": "28.95 / .885",
    },
    "SRNTT": {
        CUFED5: "25.61 / .764",
        "Sun80": "27.59 / .756",
        "Urban100": "25.09 / .774",
        "Manga109": "27.54 / .862",
    },
}
_BICUBIC = {CUFED5: "24.18 / .684", "Sun80": "27.24 / .739", "Urban100": "23.14 / .674"}
_LEVELS = {  # table 4, and what the released files give
    "L1": "TTSR-rec 26.99 / .800 (its file: 26.991 / .8003), TTSR (its file) 25.402 / .7600",
    "L2": "TTSR-rec 26.74 / .791",
    "L3": "TTSR-rec 26.64 / .788",
    "L4": "TTSR-rec 26.58 / .787",
    "self": "TTSR-rec 26.43 / .782",
}


def bicubic(published_as):
    """What is published of plain bicubic on a set; "" if nothing is."""
    return _BICUBIC.get(published_as, "")


def of(published_as, choice):
    """What is published of a set with a choice of references.

    Args:
        published_as: see `PictureSet`.
        choice: name of a `Choice`.

    Returns:
        Text; "" where nothing corresponds.
    """
    if published_as == CUFED5 and choice in _LEVELS:
        return _LEVELS[choice]
    of_main_table = {
        CUFED5: choice == "stitched",
        "Sun80": choice.startswith("match"),
        "Urban100": choice == "self",
        "Manga109": choice == "self" or choice.startswith("random"),
    }
    if not of_main_table.get(published_as):
        return ""
    return ", ".join(f"{method} {of_set[published_as]}" for method, of_set in _MAIN.items())


def warning(published_as, count):
    """Why the numbers may not be compared with the measured ones; "" if they may."""
    if published_as and count != PICTURES[published_as]:
        return (
            f"{count} pictures, not {PICTURES[published_as]}: this is not {published_as}. The "
            "published numbers are of other pictures."
        )
    return ""
