"""Labelled sheets of pictures, and the picture of where textures came from."""

import math

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from ttsr_tf.images import attention

_MARGIN = 8
_LABEL = 22


def sheet(panels, columns=3):
    """Pictures side by side in rows, each under its label.

    Args:
        panels: list of (label, uint8 [H, W, 3]); pictures smaller than the largest are enlarged to
            its height by repeating pixels.
        columns: pictures in a row.

    Returns:
        uint8 [H, W, 3].
    """
    height = max(picture.shape[0] for _, picture in panels)
    pictures = [_to_height(picture, height) for _, picture in panels]
    width = max(picture.width for picture in pictures)
    rows = math.ceil(len(panels) / columns)
    columns = min(columns, len(panels))
    size = (
        _MARGIN + columns * (width + _MARGIN),
        _MARGIN + rows * (height + _LABEL + _MARGIN),
    )
    canvas = PIL.Image.new("RGB", size, "white")
    draw = PIL.ImageDraw.Draw(canvas)
    font = PIL.ImageFont.load_default(16)
    for i, ((label, _), picture) in enumerate(zip(panels, pictures, strict=True)):
        x = _MARGIN + (i % columns) * (width + _MARGIN)
        y = _MARGIN + (i // columns) * (height + _LABEL + _MARGIN)
        draw.text((x, y), label, fill="black", font=font)
        canvas.paste(picture, (x, y + _LABEL))
    return np.asarray(canvas)


def attention_panels(result, refs):
    """Shows where textures came from, and how confident the match was.

    Args:
        result: what `Upscaler.upscale_with_attention` returns.
        refs: list of the references, uint8 [h, w, 3].

    Returns:
        Panels for `sheet`: every reference tinted by place, the map of the same tints where each
        place was used, and the similarity (see `attention`) from black (0) to white (1).
    """
    source, index, confidence = (result[name] for name in ("source", "index", "confidence"))
    used, panels = np.zeros((*index.shape, 3), np.uint8), []
    for i, ref in enumerate(refs):
        height, width = ref.shape[0] // 4, ref.shape[1] // 4
        tints = _tints(height, width, start=i / len(refs), stop=(i + 1) / len(refs))
        tinted = np.uint8(0.5 * ref[: 4 * height, : 4 * width] + 0.5 * _repeat(tints, 4))
        number = f" {i + 1}, used for {(source == i).mean():.0%}" if len(refs) > 1 else ""
        panels.append((f"reference{number}, tinted by place", tinted))
        used[source == i] = tints.reshape(-1, 3)[index[source == i]]
    return [*panels, ("where textures came from", _repeat(used, 4)), _similarity(confidence)]


def _similarity(confidence):
    grey = np.uint8(np.rint(255 * attention.similarity(confidence)))[..., None].repeat(3, -1)
    return f"similarity, {attention.similarity(confidence.mean()):.2f} in all", _repeat(grey, 4)


def _tints(height, width, *, start, stop):
    """Hue by column within a part of the circle, brightness by row: [height, width, 3] uint8."""
    hue = np.linspace(235 * start, 235 * stop, width)[None].repeat(height, 0)
    value = np.linspace(255, 90, height)[:, None].repeat(width, 1)
    hsv = np.stack([hue, np.full_like(hue, 190), value], -1)
    return np.asarray(PIL.Image.fromarray(np.uint8(hsv), "HSV").convert("RGB"))


def _repeat(picture, times):
    return picture.repeat(times, 0).repeat(times, 1)


def _to_height(picture, height):
    image = PIL.Image.fromarray(picture)
    width = max(1, round(image.width * height / image.height))
    return image.resize((width, height), PIL.Image.Resampling.NEAREST)
