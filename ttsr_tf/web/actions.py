"""What happens on the page when something is clicked: values of components in and out."""

import contextlib
import html
import os
import re
import tempfile

import gradio as gr

from ttsr_tf.errors import InputError
from ttsr_tf.images import attention, luma, resizing
from ttsr_tf.images.files import Picture
from ttsr_tf.inference.run import write
from ttsr_tf.web import photograph
from ttsr_tf.web.enlarging import enlarge, read

BICUBIC, TRUTH = "Plain enlargement", "Original"  # what the result is compared with
_CAPTIONS = {
    BICUBIC: "Left of the line: plain enlargement (bicubic). Right: the result.",
    TRUTH: "Left of the line: the original. Right: the result.",
}
_SCALE = "(1: the same, 0: like photographs of other places)"
# What the library calls by its arguments' names.
_TITLES = {"lr": "The small picture", "ref": "The reference", "photograph": "The photograph"}


@contextlib.contextmanager
def errors_in_words():
    """Within it, an InputError is a line on the page, and nothing in the server's terminal."""
    try:
        yield
    except InputError as error:
        text = re.sub(r"`(\w+)`", lambda name: _TITLES.get(name[1], f"--{name[1]}"), str(error))
        raise gr.Error(html.escape(text, quote=False), None, print_exception=False) from None


class Actions:
    """The page's actions.

    Args:
        upscaler: an `Upscaler`.
        config: a `PageConfig`.
        folder: where results are written to be downloaded.
    """

    def __init__(self, upscaler, config, folder):
        self._upscaler, self._config, self._folder = upscaler, config, folder

    def enlarge_picture(self, lr, ref, progress=gr.Progress()):  # noqa: B008
        """From a picture and a reference, as uploaded, to a result."""
        with errors_in_words():
            lr = read(_path(lr), "the small picture", self._config.max_lr_pixels)
            ref = read(_path(ref), "the reference", self._config.max_ref_pixels)
            return self._enlarge(lr, ref.rgb, progress=progress)

    def enlarge_photograph(self, uploaded, progress=gr.Progress()):  # noqa: B008
        """From a photograph, as uploaded, to a result that can be compared with the truth."""
        with errors_in_words():
            hr, ref = photograph.pair(read(_path(uploaded), "the photograph").rgb)
            lr = Picture(resizing.downscale(hr), None, False)
            return self._enlarge(lr, ref, hr=hr, progress=progress)

    def compare(self, enlarged, other):
        """What is said above the slider, and its two pictures."""
        with errors_in_words():
            _require_kept(enlarged)
        return _CAPTIONS[other], (enlarged.hr if other == TRUTH else enlarged.plain, enlarged.sr)

    def show(self, enlarged, tinted, place=None):
        """The result that can be clicked in, with the confidence or without."""
        with errors_in_words():
            _require_kept(enlarged)
        picture = enlarged.sr
        if tinted:
            picture = attention.confidence_overlay(picture, enlarged.confidence)
        return picture if place is None else attention.marked(picture, place)

    def locate(self, enlarged, tinted, event: gr.SelectData):
        """The place, it and its source marked in the pictures, and how alike they are."""
        x, y = event.index
        place = int(y) // 4, int(x) // 4
        result = self.show(enlarged, tinted, place)
        source = attention.source(enlarged.index, place, enlarged.ref.shape[1])
        alike = attention.similarity(enlarged.confidence[place])
        return (
            place,
            result,
            attention.marked(enlarged.ref, source),
            f"Similarity of the two marked places: **{alike:.2f}** {_SCALE}.",
        )

    def _enlarge(self, lr, ref, *, hr=None, progress):
        enlarged = enlarge(
            self._upscaler,
            lr.rgb,
            ref,
            hr=hr,
            memory_gb=self._config.memory_gb,
            progress=lambda share, words: progress(share, desc=words),
        )
        path = os.path.join(tempfile.mkdtemp(dir=self._folder), "large.png")
        write(path, lr, enlarged.sr)
        size = "{1} × {0}".format(*enlarged.sr.shape[:2])
        return (
            f"{size} pixels after {enlarged.seconds:.1f} s.{_scores(enlarged)}",
            enlarged,
            None,
            gr.Column(visible=True),
            *self.compare(enlarged, BICUBIC),
            gr.Radio(visible=hr is not None, value=BICUBIC),
            gr.DownloadButton(f"Download (PNG, {size})", value=path),
            "**Click anywhere in the result** to see which place of the reference gave its "
            f"texture. Similarity on average: "
            f"{attention.similarity(enlarged.confidence.mean()):.2f} {_SCALE}.",
            False,
            enlarged.sr,
            enlarged.ref,
        )


def _path(uploaded):
    """Of a file that Gradio has found to be an upload or an example; None where there is none."""
    return uploaded and uploaded["path"]


def _require_kept(enlarged):
    """What the server has dropped since is None: it keeps the results of some people for a time."""
    if enlarged is None:
        raise InputError("This result is no longer kept. Enlarge the picture again.")


def _scores(enlarged):
    if enlarged.hr is None:
        return ""
    plain, sr = (luma.psnr(enlarged.hr, x) for x in (enlarged.plain, enlarged.sr))
    return (
        f" Against the original, plain enlargement has a PSNR of {plain:.2f} dB and the result "
        f"**{sr:.2f} dB**."
    )
