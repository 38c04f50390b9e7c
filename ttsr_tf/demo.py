"""Enlarges two photographs, each with another as its reference, and reports what came of it.

python -m ttsr_tf.demo --output_dir=demo
"""

import dataclasses
import os
import tempfile

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, string
from ttsr_tf.data import sample
from ttsr_tf.errors import InputError
from ttsr_tf.files import make_folder
from ttsr_tf.images.files import write
from ttsr_tf.weights import files, naming


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoConfig(Configuration):
    """What is shown, and where."""

    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    output_dir: str = string("demo", "Where to write the report and the photographs.")


def main(config):
    files.read_header(naming.path_of(config.checkpoint))
    pairs = sample.shown_pairs()
    photographs = os.path.join(config.output_dir, "photographs")
    for kind in ("input", "ref"):
        make_folder(os.path.join(photographs, kind), "output_dir")
    cli.start_tensorflow()
    from ttsr_tf.evaluation import EvaluationConfig, evaluate
    from ttsr_tf.images import bicubic

    for name, (hr, ref) in pairs.items():
        write(os.path.join(photographs, "input", f"{name}.png"), hr)
        write(os.path.join(photographs, "ref", f"{name}.png"), ref)
    hr, ref = next(iter(pairs.values()))
    lr = bicubic.downscale(hr).numpy()
    for name, picture in (("lr", lr), ("ref", ref)):
        write(os.path.join(config.output_dir, f"{name}.png"), picture)
    report = os.path.join(config.output_dir, "report.html")
    # Aside: numbers of an earlier demo's weights would be gone on with, or refused.
    with tempfile.TemporaryDirectory(dir=config.output_dir) as aside:
        result = evaluate(
            EvaluationConfig(checkpoint=config.checkpoint, data_dir=photographs, output_dir=aside)
        )
        if result.failed:
            raise InputError(f"{len(result.failed)} of {result.count} failed; see above.")
        os.replace(result.report, report)
    print(f"Look at {report}.")


if __name__ == "__main__":
    cli.run(DemoConfig, main)
