"""`tfds build tfds_cufed5 --manual_dir=DIR`: CUFED5 from the files that the user brings."""

import functools
import sys
import tempfile
from typing import ClassVar

import tensorflow as tf
import tensorflow_datasets as tfds
from absl import app

from tfds_cufed5 import manual_dir
from tfds_cufed5.errors import InputError

# What an example of each split holds.
FEATURES = {"train": ("input", "ref", "name"), "test": ("hr", "refs", "name")}
# What `as_supervised` gives of it: what helps, and what is wanted.
SUPERVISED = {"train": ("ref", "input"), "test": ("refs", "hr")}

STRICT = tfds.core.BuilderConfig(name="strict", description="Every example must be whole.")
SKIP_BAD = tfds.core.BuilderConfig(name="skip_bad", description="Bad examples are left out.")

# TFDS has one set of features for all splits. What a split lacks is stored as one black pixel.
_ABSENT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


class Builder(tfds.core.GeneratorBasedBuilder):
    """CUFED5: 11,871 pairs to train on, 126 pictures with five references each to test on.

    `train` gives `input`, `ref` (uint8 [H, W, 3]) and `name`, the file's name; `test` gives `hr`,
    `refs` (a nested data set: L1 … L5, each of its own size) and `name`, the group's number. The
    files of the pictures are stored as they came. `as_supervised` gives pairs of `ref` and `input`,
    or of `refs` and `hr`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = manual_dir.INSTRUCTIONS
    BUILDER_CONFIGS: ClassVar = [STRICT]

    @classmethod
    def get_builder_config(cls, name, version=None):
        # Not among BUILDER_CONFIGS, since `tfds build` without --config builds all of those.
        return SKIP_BAD if name == SKIP_BAD.name else super().get_builder_config(name, version)

    def download_and_prepare(self, *, download_config=None, **kwargs):
        # One process builds the whole set in a minute, two local Beam workers in five: on demand.
        self._with_beam = bool(
            download_config and (download_config.beam_options or download_config.beam_runner)
        )
        with tempfile.TemporaryDirectory() as self._scratch:
            try:
                super().download_and_prepare(download_config=download_config, **kwargs)
            except InputError:
                if not any(isinstance(one, _WithoutTraceback) for one in app.EXCEPTION_HANDLERS):
                    app.install_exception_handler(_WithoutTraceback())
                raise

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "input": tfds.features.Image(),
                    "ref": tfds.features.Image(),
                    "hr": tfds.features.Image(),
                    "refs": tfds.features.Dataset(tfds.features.Image()),
                    "name": tfds.features.Text(),
                }
            ),
            homepage="https://github.com/researchmm/TTSR",
        )

    def _split_generators(self, dl_manager):
        try:
            folder = str(dl_manager.manual_dir)
        except (AssertionError, OSError) as error:  # missing, empty; not a folder
            given = str(error).split(" Create it")[0]  # TFDS goes on with the instructions
            raise InputError(
                f"{given} --manual_dir must be a folder with CUFED5's files.\n"
                f"{manual_dir.INSTRUCTIONS}"
            ) from None
        skip_bad = self.builder_config.name == SKIP_BAD.name
        examples = manual_dir.examples(folder, self._scratch, skip_bad)
        self._counts = {split: len(examples[split]) for split in examples}
        return {split: self._generate_examples(split, examples[split]) for split in examples}

    def _download_and_prepare(self, dl_manager, download_config):
        super()._download_and_prepare(dl_manager=dl_manager, download_config=download_config)
        if download_config.max_examples_per_split is not None:
            return
        for split, count in self._counts.items():
            # Beam's local workers were seen to lose examples without a word.
            if (built := self.info.splits[split].num_examples) != count:
                raise InputError(
                    f"{split} was built with {built} of its {count} examples: Beam lost the rest. "
                    "Build again without --beam_pipeline_options."
                )

    def _generate_examples(self, split, examples):
        example = functools.partial(_example, split)
        if not self._with_beam:
            return map(example, examples)
        import apache_beam as beam

        return beam.Create(examples) | beam.Reshuffle() | beam.Map(example)

    def as_dataset(self, split=None, *, as_supervised=False, **kwargs):
        # TFDS would take the same features of all splits.
        found = super().as_dataset(split, **kwargs)
        return tf.nest.map_structure(_supervised, found) if as_supervised else found

    def _as_dataset(self, split, decoders=None, **kwargs):
        of = [name for name in FEATURES if name in str(split)]
        if len(of) == 1 and not isinstance(decoders, tfds.decode.PartialDecoding):
            decoders = tfds.decode.PartialDecoding(dict.fromkeys(FEATURES[of[0]], True), decoders)
        return super()._as_dataset(split, decoders=decoders, **kwargs)


def _supervised(dataset):
    given = [keys for keys in SUPERVISED.values() if set(keys) <= set(dataset.element_spec)]
    if len(given) != 1:
        raise InputError("`as_supervised` wants `train` or `test` with its pictures, not both.")
    return dataset.map(lambda example: tuple(example[key] for key in given[0]))


def _example(split, example):
    first, *others = [file.read() for file in example.pictures]
    pictures = {"input": _ABSENT, "ref": _ABSENT, "hr": _ABSENT, "refs": []}
    if split == "train":
        pictures.update(input=first, ref=others[0])
    else:
        pictures.update(hr=first, refs=others)
    return example.name, {**pictures, "name": example.name}


class _WithoutTraceback(app.ExceptionHandler):
    """`tfds build` ends with what went wrong, without forty lines of where in TFDS."""

    def wants(self, exc):
        return isinstance(exc, InputError)

    def handle(self, exc):
        sys.tracebacklimit = 0  # absl calls this only as the program ends
