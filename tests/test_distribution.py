"""Which devices train together, and what their number asks of a batch."""

import pytest
from gans import mirrored

from ttsr_tf.errors import InputError
from ttsr_tf.training import distribution


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
