"""Which devices train together, and what their number asks of a batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from gans import mirrored

from ttsr_tf import compat
from ttsr_tf.errors import InputError
from ttsr_tf.training import distribution
from ttsr_tf.training.optimizers import Adam


@pytest.mark.parametrize("config", ["x", "{}", '{"cluster": {"worker": []}, "task": {}}'])
def test_bad_configurations(config):
    with pytest.raises(InputError, match=r"TF_CONFIG=.* must be JSON such as"):
        distribution.choose(config)


def test_a_batch_that_the_devices_dont_divide():
    two = mirrored(2)
    distribution.check_batch_size(two, 4)
    with pytest.raises(InputError, match="`batch_size`=9 can't be divided among 2 devices"):
        distribution.check_batch_size(two, 9)
    assert distribution.is_chief(two)


@pytest.fixture
def summed(monkeypatch):
    """The shapes of what the replicas give to be added up."""
    given, add_up = [], tf.distribute.ReplicaContext.all_reduce

    def all_reduce(context, operation, values, options=None):
        given.extend(tuple(value.shape) for value in tf.nest.flatten(values))
        return add_up(context, operation, values, options)

    monkeypatch.setattr(tf.distribute.ReplicaContext, "all_reduce", all_reduce)
    return given


@pytest.mark.parametrize(("kind", "sums"), [(Adam, 1), (keras.optimizers.SGD, 2)])
def test_a_gradient_is_summed_once(rng, summed, kind, sums):
    """Other optimizers than ours can't be told to leave it; the step is the mean's all the same."""
    strategy, start = mirrored(2), rng.standard_normal((3, 5))
    # Adam's first step is by the sign alone, unless epsilon is as large as the gradient.
    options = {"epsilon": 1.0} if kind is Adam else {}
    with strategy.scope():
        variable = tf.Variable(start, dtype=tf.float32)
        optimizer = kind(0.1, **options)
        optimizer.build([variable])
    gradients = rng.standard_normal((2, 3, 5))

    @tf.function(autograph=False)
    def step():
        def of_replica():
            i = tf.distribute.get_replica_context().replica_id_in_sync_group
            own = tf.gather(tf.constant(gradients, tf.float32), i)
            distribution.apply(optimizer, distribution.averaged([own]), [variable])

        strategy.run(of_replica)

    step()
    mean = gradients.mean(0)
    change = mean / (abs(mean) + 1) if kind is Adam else mean
    for copy in strategy.experimental_local_results(variable):
        np.testing.assert_allclose(copy, start - 0.1 * change, atol=1e-6)
    if compat.GENERATION == "Keras 2":
        sums = 1  # its own optimizers add up by an operation that isn't seen here
    assert summed.count((3, 5)) == 2 * sums  # of two replicas


def test_adam_adds_up_what_it_isnt_told_to_be_alike(rng):
    strategy = mirrored(2)
    with strategy.scope():
        variable = tf.Variable(tf.zeros(4))
        optimizer = Adam(0.1, epsilon=1.0)
        optimizer.build([variable])
    gradients = rng.standard_normal((2, 4))

    def of_replica():
        i = tf.distribute.get_replica_context().replica_id_in_sync_group
        own = tf.gather(tf.constant(gradients, tf.float32), i)
        optimizer.apply_gradients([(own, variable)])

    tf.function(lambda: strategy.run(of_replica), autograph=False)()
    total = gradients.sum(0)
    for copy in strategy.experimental_local_results(variable):
        np.testing.assert_allclose(copy, -0.1 * total / (abs(total) + 1), atol=1e-6)


def test_what_all_replicas_report_is_the_mean():
    strategy = mirrored(2)
    values = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant([1.0, 4.0])[context.replica_id_in_sync_group]
    )
    step = distribution.step(strategy, lambda batch: {"a": batch, "b": 2 * batch})
    assert step(values, True).read() == {"a": 2.5, "b": 5.0, distribution.STOP: 1.0}


def test_numbers_are_read_seldom_where_reading_waits(monkeypatch):
    assert distribution.read_every() == 1
    monkeypatch.setattr(distribution.tf.config, "get_visible_devices", lambda kind: [kind])
    assert distribution.read_every() == 10


@pytest.mark.parametrize(("visible", "several"), [(0, False), (1, False), (2, True)])
def test_only_gpus_that_may_be_seen_count(monkeypatch, visible, several):
    config = distribution.tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind=None: [kind] * 8)
    monkeypatch.setattr(config, "get_visible_devices", lambda kind=None: [kind] * visible)
    monkeypatch.setattr(distribution.tf.distribute, "MirroredStrategy", lambda: "mirrored")
    assert (distribution.choose() == "mirrored") == several
    assert distribution.micro_batch_size(96, 32) == (None if visible else 5)
    assert distribution.micro_batch_size(160, 64) == (None if visible else 1)
    assert distribution.micro_batch_size(320, 64) == (None if visible else 1)
