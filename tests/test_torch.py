"""Against PyTorch's own operations, where the released program uses them; needs no file of it."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.models.critic import Critic
from ttsr_tf.training import losses
from ttsr_tf.weights.initial import initialise

torch = pytest.importorskip("torch", reason="NOT TESTED: needs ttsr-tf[convert]")
functional = torch.nn.functional


def nchw(array):
    return torch.tensor(np.moveaxis(np.array(array), -1, 1), dtype=torch.float32)


def nhwc(tensor):
    return np.moveaxis(tensor.detach().numpy(), 1, -1)


def test_relevance_and_transfer(rng):
    """Patches by `unfold`, pasted by `fold` (paper, equations 2 to 5); and all gradients."""
    B, H, W, h, w = 2, 5, 7, 6, 4
    query, key = (rng.standard_normal((B, *size, 12)) for size in ((H, W), (h, w)))
    value = [rng.standard_normal((B, s * h, s * w, 3)) for s in (1, 2, 4)]
    weights = [rng.standard_normal((B, s * H, s * W, 3)) for s in (1, 2, 4)]
    weight = rng.standard_normal((B, H, W, 1))

    given = [tf.constant(x, tf.float32) for x in (query, key, *value)]
    with tf.GradientTape() as tape:
        tape.watch(given)
        index, confidence = layers.Relevance()(given[:2])
        textures = [
            layers.Transfer(s)([x, index]) for s, x in zip((1, 2, 4), given[2:], strict=True)
        ]
        loss = tf.reduce_sum(confidence * weight)
        loss += tf.add_n([tf.reduce_sum(x * y) for x, y in zip(textures, weights, strict=True)])
    gradients = tape.gradient(loss, given)

    theirs = [nchw(x).requires_grad_() for x in (query, key, *value)]
    patches = (functional.normalize(functional.unfold(x, 3, padding=1), dim=1) for x in theirs[:2])
    similarity = torch.einsum("bcq,bck->bqk", *patches)
    score, place = similarity.max(-1)
    loss = (score.view(B, 1, H, W) * nchw(weight)).sum()
    for s, x, y, found in zip((1, 2, 4), theirs[2:], weights, textures, strict=True):
        patches = functional.unfold(x, 3 * s, padding=s, stride=s)
        chosen = patches.gather(2, place[:, None].expand(-1, patches.shape[1], -1))
        pasted = functional.fold(chosen, (s * H, s * W), 3 * s, padding=s, stride=s) / 9
        np.testing.assert_allclose(found, nhwc(pasted), atol=1e-6)
        loss = loss + (pasted * nchw(y)).sum()
    loss.backward()
    np.testing.assert_array_equal(np.ravel(index), place.numpy().ravel())
    np.testing.assert_allclose(np.ravel(confidence), score.detach().numpy().ravel(), atol=1e-6)
    for ours, x in zip(gradients, theirs, strict=True):
        # float32 sums of up to 35 · 9 terms near 1
        np.testing.assert_allclose(ours, nhwc(x.grad), atol=2e-5)


@pytest.mark.parametrize("factor", [2, 4])
def test_maps_are_enlarged_as_by_interpolate(rng, factor):
    x = rng.standard_normal((2, 5, 9, 3)).astype(np.float32)
    expected = functional.interpolate(
        nchw(x), scale_factor=factor, mode="bicubic", align_corners=False
    )
    np.testing.assert_allclose(layers.resize_up(tf.constant(x), factor), nhwc(expected), atol=1e-6)


def test_the_critic_and_its_gradient_penalty(rng):
    critic = Critic(32)
    critic.build()
    initialise(critic, 5)
    hr, sr = (rng.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32) for _ in range(2))
    epsilon = np.float32([0.3, 0.8])
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(critic, hr, sr, epsilon=epsilon)
        loss = losses.critic(critic(hr), critic(sr)) + 10 * penalty
    layers_ = [*critic.convs, critic.dense1, critic.dense2]
    gradients = tape.gradient(loss, [layer.kernel for layer in layers_])

    order = {4: (3, 2, 0, 1), 2: (1, 0)}
    weights = [[np.array(x) for x in layer.get_weights()] for layer in layers_]
    weights = [
        (torch.tensor(k.transpose(order[k.ndim])).requires_grad_(), torch.tensor(b))
        for k, b in weights
    ]

    def scores(x):
        for i, (kernel, bias) in enumerate(weights[:-2]):
            x = functional.conv2d(x, kernel, bias, stride=1 + i % 2, padding=1)
            x = functional.leaky_relu(x, 0.2)
        x = functional.linear(x.flatten(1), *weights[-2])  # one position is left
        return functional.linear(functional.leaky_relu(x, 0.2), *weights[-1])

    real, fake, share = nchw(hr), nchw(sr), torch.tensor(epsilon)[:, None, None, None]
    mix = (fake * (1 - share) + real * share).requires_grad_()
    (slope,) = torch.autograd.grad(scores(mix).sum(), mix, create_graph=True)
    expected = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    total = scores(fake).mean() - scores(real).mean() + 10 * expected
    total.backward()
    np.testing.assert_allclose(penalty, expected.item(), rtol=1e-5)
    np.testing.assert_allclose(loss, total.item(), rtol=1e-5)
    for ours, (kernel, _) in zip(gradients, weights, strict=True):
        theirs = kernel.grad.numpy()
        ours = np.transpose(ours, order[ours.ndim])
        # What real and fake pictures give is nearly the same, and taken from each other.
        np.testing.assert_allclose(ours, theirs, atol=1e-3 * np.abs(theirs).max())
