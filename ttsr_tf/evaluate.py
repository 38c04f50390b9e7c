r"""Measures a network on a test set and writes each number with its protocol.

python -m ttsr_tf.evaluate --checkpoint=ttsr.safetensors --dataset=folder --data_dir=test/CUFED5 \
    --references=levels --output_dir=results

Started again, it goes on where it was stopped.
"""

from absl import logging

from ttsr_tf import cli
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation.config import EvaluationConfig, check


def main(config):
    check(config)
    cli.start_tensorflow()
    from ttsr_tf.evaluation import evaluate

    logging.set_verbosity(logging.ERROR)  # TFDS would tell of every picture that it reads
    result = evaluate(config)
    if result.report:
        print(f"Look at {result.report}.")
    if failed := len(result.failed):
        raise InputError(f"{failed} of {result.count} failed and are left out; see above.")


if __name__ == "__main__":
    cli.run(EvaluationConfig, main, stopped="Stopped. The same command goes on.")
