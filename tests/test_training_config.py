"""What of a training can be judged without TensorFlow."""

import pytest

from ttsr_tf import configuration
from ttsr_tf.errors import InputError
from ttsr_tf.models import MODELS, OPTIONS, model_class
from ttsr_tf.training.config import TrainingConfig, check
from ttsr_tf.weights.checkpoints import arguments

SMALL = {"dataset": "sample", "vgg19_weights": "random", "perceptual_weight": 0, "max_steps": 5000}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"crop_size": 33}, "`crop_size`=33 must be a multiple of 4"),
        ({"crop_size": 48}, "`crop_size`=48 must be a multiple of 32, which the critic needs"),
        ({"data_dir": "x"}, "`data_dir` goes with `dataset`=folder or tfds_cufed5, not sample"),
        ({"dataset": "folder"}, "`dataset`=folder needs `data_dir`"),
        ({"dataset": "folder", "data_dir": "none"}, "`data_dir`=none is not a folder"),
        ({"dataset": "tfds_cufed5", "data_dir": "none"}, "tfds_cufed5 .*isn't built in none"),
        ({"vgg19_weights": "none.h5"}, "No VGG19 weights at 'none.h5': give imagenet"),
        ({"perceptual_weight": 1}, "`vgg19_weights`=random can't judge pictures"),
        ({"model": "srntt", "residual": True}, "`residual` goes with `model`=ttsr, not srntt"),
        ({"transposed_vgg19": True}, "`transposed_vgg19` goes with `model`=srntt, not ttsr"),
        (
            {"degradation": "realistic", "back_projection_weight": 1},
            "`back_projection_weight` goes with `degradation`=bicubic, not realistic",
        ),
        ({"finetune_from": "none.safetensors"}, "No checkpoint at none.safetensors"),
    ],
)
def test_what_can_not_be_trained(tmp_path, values, message):
    with pytest.raises(InputError, match=message):
        check(TrainingConfig(run_dir=str(tmp_path / "run"), **SMALL | values))
    assert not list(tmp_path.iterdir())


def test_without_a_critic_other_crops_go(tmp_path):
    small = {**SMALL, "run_dir": str(tmp_path), "crop_size": 48}
    check(TrainingConfig(**small, adversarial_weight=0))
    check(TrainingConfig(**small | {"max_steps": 9}, pretrain_steps=9))


def test_weights_to_start_from_have_the_same_sizes(tmp_path):
    from ttsr_tf import TTSR
    from ttsr_tf.weights import checkpoints

    model = TTSR((1, 2, 1, 1), 4)
    model.build()
    path = str(tmp_path / "a.safetensors")
    checkpoints.save(model, path)

    def attempt(**sizes):
        check(TrainingConfig(run_dir=str(tmp_path), finetune_from=path, **SMALL, **sizes))

    attempt(num_residual_blocks=(1, 2, 1, 1), num_features=4)
    with pytest.raises(
        InputError, match=r"with .*'num_features': 4.* not .*64.* Give the same values"
    ):
        attempt(num_residual_blocks=(1, 2, 1, 1))
    with pytest.raises(InputError, match=r"is of ttsr with .* not srntt with .*'transposed_vgg19'"):
        attempt(num_residual_blocks=(1, 2, 1, 1), num_features=4, model="srntt")


def test_every_option_is_a_flag_and_an_argument():
    """Of the network's class, and nothing else is."""
    assert OPTIONS.keys() == MODELS.keys()
    for name in MODELS:
        config = TrainingConfig(run_dir="x", max_steps=1, model=name)
        assert arguments(model_class(name)(**config.model_config)) == config.model_config


@pytest.mark.parametrize(
    "name", ["ttsr", "ttsr_rec", "ttsr_small", "quickstart", "srntt", "srntt_rec"]
)
def test_the_flagfiles_hold(name):
    given = [f"--flagfile=configs/{name}.flags", "--run_dir=x"]
    config = configuration.parse(TrainingConfig, given)
    published = TrainingConfig(run_dir="x", max_steps=config.max_steps)
    if name == "ttsr":  # the paper's values are the dataclass'
        assert config == published
        assert config.max_steps == 52 * 1319
    if name == "srntt":
        phases = config.pretrain_steps, config.reconstruction_steps
        assert config.max_steps - sum(phases) == 50 * 1319 and phases[1] == 5 * 1319
        assert config.perceptual_weight == pytest.approx(1e-4 * 57.63**2, rel=1e-3)
    if name == "srntt_rec":
        assert config.model == "srntt" and not config.trains_fully
