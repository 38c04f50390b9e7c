"""Which references a picture is enlarged with: the choices that numbers are published for."""

import io
import re
from typing import NamedTuple

import numpy as np
import PIL.Image

from ttsr_tf.data.sets import CUFED5, LEVELS, Stored
from ttsr_tf.errors import InputError

ALL, SELF, GREY, EACH_LEVEL, RANDOM = "all", "self", "grey", "levels", "random"
STITCHED, BEST_OF_FIVE = "stitched", "best-of-five"
KINDS = (*(str(k + 1) for k in range(LEVELS)), ALL, SELF, GREY, EACH_LEVEL, RANDOM)

_AT = "@"
CELL = 500  # pixels: side of a reference's place on the canvas


class Choice(NamedTuple):
    """Which references are used.

    Attributes:
        name: as in tables and files: "L1" … "L5", "match-1" …, "stitched", "best-of-five", "self",
            "grey", "random-0" with its seed; "L1@20" and the like from an angle.
        protocol: what that means, in words.
    """

    name: str
    protocol: str

    @property
    def unwarped(self):
        """The name without the angle."""
        return self.name.partition(_AT)[0]

    @property
    def angle(self):
        """Degrees by which the references are warped, an int."""
        return int(self.name.partition(_AT)[2] or 0)

    @property
    def takes_angle(self):
        """Whether there is a reference beside the picture itself."""
        return self.unwarped not in (SELF, GREY)


def chosen(kind, outline, *, seed=0, angles=(0,)):
    """The choices that a value of `references` stands for.

    Args:
        kind: one of `KINDS`; None: the first reference, or "self" where there is none.
        outline: the `Outline` of a test set.
        seed: of "random".
        angles: ints, degrees, from each of which the references are seen; "self" and "grey" are
            not warped.

    Returns:
        A list of `Choice`.

    Raises:
        InputError: the set doesn't have such references.
    """
    kind = kind or ("1" if outline.num_refs else SELF)
    if reason := _reason_against(kind, outline):
        fitting = [one for one in KINDS if not _reason_against(one, outline)]
        raise InputError(
            f"`references`={kind} doesn't go with {outline.name}: its pictures {reason}. Give one "
            f"of {', '.join(fitting)}."
        )
    numbered = f"L{kind}" if _grouped(outline) else f"match-{kind}"
    names = {
        ALL: [STITCHED, BEST_OF_FIVE],
        EACH_LEVEL: [*(f"L{k + 1}" for k in range(LEVELS)), SELF],
        SELF: [SELF],
        GREY: [GREY],
        RANDOM: [f"{RANDOM}-{seed}"],
    }
    found = [named(name) for name in names.get(kind, [numbered])]
    if any(angles) and not any(choice.takes_angle for choice in found):
        raise InputError(
            f"`reference_warp` needs references to warp, `references`={kind} has none. Leave it."
        )
    return [
        named(f"{choice.name}{_AT}{angle}" if angle else choice.name)
        for choice in found
        for angle in (dict.fromkeys(angles) if choice.takes_angle else [0])
    ]


def named(name):
    """The `Choice` of a name."""
    if _AT in name:
        unwarped, _, angle = name.partition(_AT)
        return Choice(
            name,
            f"{named(unwarped).protocol}; each turned by {angle}° about its middle and sheared by "
            f"{int(angle) / 2:g}°, of which the largest upright part is used",
        )
    if name in _PROTOCOLS:
        return Choice(name, _PROTOCOLS[name])
    if name.startswith(RANDOM):
        _, seed = _parts(name)
        return Choice(name, f"another picture of the set, at random with seed {seed}")
    kind, number = _parts(name)
    which = (
        f"of level {number} (NNN_{number})" if kind == "L" else f"that is number {number} by name"
    )
    return Choice(name, f"the reference {which}")


def of(choice, case, cases):
    """The references of one picture.

    Args:
        choice: a `Choice`.
        case: the `Case`.
        cases: all of the set.

    Returns:
        A list of `Stored`, not warped; None where the picture serves as its own reference.
    """
    if choice.name == SELF:
        return None
    if choice.name == GREY:
        return [Stored(GREY, _grey)]
    if choice.unwarped in (STITCHED, BEST_OF_FIVE):
        return list(case.refs)
    kind, number = _parts(choice.unwarped)
    if kind == RANDOM:
        # By the place in the set, so that a run that goes on chooses as one that was never stopped.
        place = cases.index(case)
        step = np.random.default_rng([number, place]).integers(1, len(cases))
        return [cases[(place + step) % len(cases)].hr]
    return [case.refs[number - 1]]


def cells(refs):
    """Each picture at the top left of a black square of 500×500, or of the largest one's side.

    Args:
        refs: list of uint8 [h, w, 3], h and w multiples of 4.

    Returns:
        A list of uint8 [side, side, 3].
    """
    side = max(CELL, *(length for ref in refs for length in ref.shape[:2]))
    return [
        np.pad(ref, ((0, side - ref.shape[0]), (0, side - ref.shape[1]), (0, 0))) for ref in refs
    ]


def _grey():
    """A file of a picture without any texture."""
    with io.BytesIO() as file:
        PIL.Image.new("RGB", (CELL, CELL), (128, 128, 128)).save(file, "PNG")
        return file.getvalue()


_PROTOCOLS = {
    SELF: "the LR picture itself, as the authors do: TTSR's key is LR ÷4 ×4; SRNTT matches its "
    "single-image path's picture with LR",
    GREY: f"a grey picture of {CELL}×{CELL}, which has no textures: what the network does alone",
    STITCHED: f"five references on one black canvas of {LEVELS * CELL}×{CELL}, each at the top "
    f"left of its {CELL}×{CELL} (all cells larger where a reference is, so that none is cut)",
    BEST_OF_FIVE: "everywhere the best match of five references, without a canvas",
}


def _parts(name):
    kind, number = re.fullmatch(r"(L|match|random)-?(\d+)", name).groups()
    return kind, int(number)


def _reason_against(kind, outline):
    """Why a set's pictures don't go with a value of `references`, in words; None if they do."""
    count = outline.num_refs
    if kind.isdecimal() and int(kind) > count:
        return f"have {count} references" if count else "have none"
    if kind in (ALL, EACH_LEVEL) and not _grouped(outline):
        return "aren't CUFED5's groups of one and five"
    if kind == RANDOM and (count or outline.count < 2):
        return "have references" if count else "are less than two"
    return None


def _grouped(outline):
    return outline.published_as == CUFED5
