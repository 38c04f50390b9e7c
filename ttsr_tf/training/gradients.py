"""The gradient of the generator's losses: part by part of a batch, so that memory is bounded."""

import tensorflow as tf

from ttsr_tf.models import TEXTURES


def of_losses(way, batch, losses_of, *, num_losses, micro_batch_size=None, critic_learns=None):
    """The gradient of a weighed sum of losses, and the losses.

    Args:
        way: a `Pass`.
        batch: dict of tensors [B, …]: the network's inputs and `hr`.
        losses_of: function from the batch, or a part of it, and the outputs to the loss that is
            lowered, a scalar, and a list of scalars to report; all are means over the examples.
        num_losses: how many are reported.
        micro_batch_size: how many pairs' activations are in memory at once; None: all.
        critic_learns: function of the whole batch's sr, called before `losses_of`; or None.

    Returns:
        The gradients of the pass's variables, in their order, and the reported scalars, float32.
    """

    def of_part(part, critic_learns=None):
        gradients, values = _of_part(way, part, losses_of, critic_learns=critic_learns)
        return [*gradients, *(tf.cast(value, tf.float32) for value in values)]

    size = batch["hr"].shape[0]
    if micro_batch_size is None or (size and size <= micro_batch_size):
        found = of_part(batch, critic_learns)
    else:
        if critic_learns:  # from all pairs, whose activations can't be kept until then
            critic_learns(_pictures(way, batch, micro_batch_size))
        zeros = [*(tf.zeros(v.shape) for v in way.variables), *(tf.zeros([]),) * num_losses]
        found = _mean(of_part, batch, micro_batch_size, zeros=zeros)
    return found[: len(way.variables)], found[len(way.variables) :]


def clipped(gradients, norm):
    """Scaled to a global norm, a float, if theirs is larger; as they are if it is None."""
    return tf.clip_by_global_norm(gradients, norm)[0] if norm else gradients


def _of_part(way, batch, losses_of, *, critic_learns):
    with tf.GradientTape() as tape:
        outputs = way.outputs(batch)
    if critic_learns:
        critic_learns(outputs["sr"])
    seen = [outputs[name] for name in ("sr", "confidence", *TEXTURES) if name in outputs]
    # Only what the generator put out is watched: VGG19, the critic and the texture extractor judge
    # it, and must not learn from that.
    with tf.GradientTape(watch_accessed_variables=False) as judging:
        judging.watch(seen)
        loss, values = losses_of(batch, outputs)
    slopes = zip(seen, judging.gradient(loss, seen), strict=True)
    seen, slopes = zip(*((x, slope) for x, slope in slopes if slope is not None), strict=True)
    return tape.gradient(seen, way.variables, slopes), values


def _pictures(way, batch, size):
    """`sr` of the whole batch."""
    hr = batch["hr"]
    count = tf.shape(hr)[0]

    def add(start, parts):
        part = {name: x[start : tf.minimum(start + size, count)] for name, x in batch.items()}
        return start + size, parts.write(start // size, way.outputs(part)["sr"])

    parts = tf.TensorArray(
        tf.float32, -(-count // size), infer_shape=False, element_shape=[None, *hr.shape[1:]]
    )
    _, parts = tf.while_loop(lambda start, _: start < count, add, (0, parts), parallel_iterations=1)
    return tf.ensure_shape(parts.concat(), hr.shape)


def _mean(function, batch, size, *, zeros):
    """Of a function's results, tensors shaped like `zeros`, over the examples of a batch."""
    count = tf.shape(batch["hr"])[0]

    def added(start, sums):
        stop = tf.minimum(start + size, count)
        results = function({name: x[start:stop] for name, x in batch.items()})
        share = (stop - start) / count
        return stop, [a + tf.cast(share, b.dtype) * b for a, b in zip(sums, results, strict=True)]

    _, sums = tf.while_loop(
        lambda start, _: start < count, added, (0, zeros), parallel_iterations=1
    )
    return sums
