"""What a .tflite file runs: a network's functions, in graphs that LiteRT can plan."""

import tensorflow as tf

from ttsr_tf import compat, layers
from ttsr_tf.images import inputs

# For people, in the file: what each takes and gives. Sizes are free; maps go from signature to
# signature, and nobody else needs to look into them.
SIGNATURES = {
    "encode": "ref, ref_down_up: uint8 [1, h, w, 3], multiples of 4 → key, value_x1, _x2, _x4",
    "query": "lr_up: uint8 [1, 4·H, 4·W, 3] → query",
    "match": "query, key → index: int32 [1, H, W], in (h / 4)·(w / 4) row-major, times 25 and more "
    "with alignment; confidence: "
    "float32 [1, H, W, 1] in [-1, 1]",
    "transfer": "value_x1, _x2, _x4, index → textures_x1, _x2, _x4; zeros where index is -1",
    "synthesise": "lr: uint8 [1, H, W, 3], lr_up, textures_x1, _x2, _x4, confidence → sr: uint8 "
    "[1, 4·H, 4·W, 3]",
    "single_image": "lr, lr_up → sr; SRNTT's alone",
}
_PICTURE = tf.TensorSpec([1, None, None, 3], tf.uint8)
_INDEX = tf.TensorSpec([1, None, None], tf.int32)


def module(model) -> tf.Module:
    """What holds a built network's variables for `tf.saved_model.save`.

    They are TensorFlow's, not Keras 3's around them, which stay outside of the file; and not the
    model, which Keras 2 would save in its own way.
    """
    holder = tf.Module()
    holder.parameters = [compat.tensorflow_variable(v) for v in model.variables]
    return holder


def signatures(model) -> dict:
    """A dict of concrete functions by signature name, see `ttsr_tf.inference.litert`."""
    pyramid = [_map(channels) for channels in model.value_channels]

    def encode(ref, ref_down_up):
        key, value = model.encode(inputs.to_float(ref), inputs.to_float(ref_down_up))
        return {"key": key, **_named("value", value)}

    def query(lr_up):
        return {"query": model.query(inputs.to_float(lr_up))}

    def match(query, key):
        index, confidence = model.match(query, key)
        return {"index": index, "confidence": confidence}

    # Their names are the signatures'.
    def transfer(value_x1, value_x2, value_x4, index):  # noqa: PLR0917
        return _named("textures", model.transfer((value_x1, value_x2, value_x4), index))

    def synthesise(  # noqa: PLR0917
        lr, lr_up, textures_x1, textures_x2, textures_x4, confidence
    ):
        textures = textures_x1, textures_x2, textures_x4
        sr = model.synthesise(_pictures(lr, lr_up), textures, confidence)
        return {"sr": inputs.to_uint8(sr)}

    def single_image(lr, lr_up):
        return {"sr": inputs.to_uint8(model.single_image(_pictures(lr, lr_up)))}

    specs = {
        encode: [_PICTURE] * 2,
        query: [_PICTURE],
        match: [_map(model.query_channels)] * 2,
        transfer: [*pyramid, _INDEX],
        synthesise: [_PICTURE, _PICTURE, *pyramid, _map(1)],
    }
    if model.single_image:
        specs[single_image] = [_PICTURE] * 2
    return {function.__name__: _traced(function, spec) for function, spec in specs.items()}


def numbers(model) -> dict:
    """What is asked of a network but its functions, as JSON takes it; `flops` as coefficients."""
    names = (
        *("value_channels", "query_channels", "shifts", "smallest_lr", "smallest_ref"),
        *("tile_overlap", "bytes_per_pixel"),
    )
    one, block = (1, 1), (4, 4)
    key, position = model.flops((0, 0), [block]), model.flops(one, [(0, 0)])
    flops = {"key": key, "position": position, "pair": model.flops(one, [block]) - key - position}
    if model.without_reference:
        single, double = model.flops(one, []), model.flops((1, 2), [])
        flops |= {"alone": 2 * single - double / 2, "alone_pair": double / 2 - single}
    found = {name: getattr(model, name) for name in names}
    padding = getattr(getattr(model, "relevance", None), "padding", "same")
    return {**found, "padding": padding, "flops": flops}


def _map(channels):
    return tf.TensorSpec([1, None, None, channels], tf.float32)


def _named(name, pyramid):
    return {f"{name}_x{scale}": x for scale, x in zip((1, 2, 4), pyramid, strict=True)}


def _pictures(lr, lr_up):
    return {"lr": inputs.to_float(lr), "lr_up": inputs.to_float(lr_up)}


def _traced(function, signature):
    with layers.portable.traced(layers.portable.LITERT):
        traced = tf.function(function, input_signature=signature, autograph=False)
        return traced.get_concrete_function()
