"""Variants of a network trained alike and measured on CUFED5's groups: PSNR and its spread.

python benchmarks/ablation.py --data_dir=REFSR --steps=3000 [--seeds=0,1]
    [--variants=configs/small/ttsr.flags,configs/small/srntt.flags]

REFSR holds train/input, train/ref and test/CUFED5. A variant is a flagfile of `ttsr_tf.train`; its
phases keep their shares of the steps. Started again, it goes on where it was stopped.

Learning parameters are counted, of the backbone and, where it learns, of the texture extractor
(555,328). The paper says 4.42 M without CSFI and 6.42 M with, and not what it counts.
"""

import contextlib
import csv
import dataclasses
import io
import json
import os
import statistics

from ttsr_tf import cli, configuration
from ttsr_tf.configuration import REQUIRED, Configuration, integer, integers, string
from ttsr_tf.data import folders
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import EvaluationConfig
from ttsr_tf.files import written_aside
from ttsr_tf.progress import StopRequest
from ttsr_tf.training.config import TrainingConfig, check

_VARIANTS = "base", "hard_attention", "soft_attention", "extractor", "csfi", "transferal"
# As of `ttsr_tf.evaluate`: the best reference, the least similar one, LR itself, and none.
_REFERENCES = {"1": "L1", "5": "L5", "self": "self", "grey": "grey"}
_MEASURED = "measured.json"  # in a run's folder
_SIZES = "num_residual_blocks", "num_features"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is compared."""

    data_dir: str = string(REQUIRED, "With train/input, train/ref and test/CUFED5.")
    steps: int = integer(REQUIRED, "Of every training.", lower_bound=1)
    seeds: tuple[int, ...] = integers((0, 1), "A training for each.")
    variants: str = string(
        ",".join(f"configs/ablation/{name}.flags" for name in _VARIANTS), "Flagfiles."
    )
    vgg19_weights: str = string("imagenet", "As of ttsr_tf.train.")
    output_dir: str = string("runs/ablation", "Where runs and ablation.json go.")


def main(config):
    paths = {os.path.splitext(os.path.basename(p))[0]: p for p in config.variants.split(",")}
    runs = [(n, _training(config, n, seed)) for seed in config.seeds for n in paths.items()]
    for _, training in runs:
        check(training)
    folders.load(folders.FOLDER, config.data_dir, folders.GROUPS)
    cli.start_tensorflow()
    found = {name: [] for name in paths}
    with StopRequest("step") as stop:
        for (name, _), training in runs:
            print(f"{name}, seed {training.seed}:", flush=True)
            found[name].append(_kept(training) or _measured(training, stop))
    print(_table(found))
    path = os.path.join(config.output_dir, "ablation.json")
    with written_aside(path) as aside, open(aside, "w") as file:
        json.dump({"steps": config.steps, "seeds": config.seeds, "variants": found}, file)
        file.write("\n")
    print(f"{path} written.")


def _training(config, variant, seed):
    name, path = variant
    given = {
        "flagfile": path,
        "data_dir": config.data_dir,
        "vgg19_weights": config.vgg19_weights,
        "seed": seed,
        "run_dir": os.path.join(config.output_dir, f"{name}-{seed}"),
    }
    whole = configuration.parse(TrainingConfig, [f"--{n}={value}" for n, value in given.items()])
    phases = {
        phase: round(getattr(whole, phase) * config.steps / whole.max_steps)
        for phase in ("pretrain_steps", "reconstruction_steps")
    }
    return dataclasses.replace(whole, max_steps=config.steps, **phases)


def _kept(training):
    """What an earlier start measured; None if it didn't come so far."""
    path = os.path.join(training.run_dir, _MEASURED)
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return json.load(file)


def _measured(training, stop):
    """Trains and evaluates; a dict of numbers."""
    from ttsr_tf.evaluation import evaluate
    from ttsr_tf.training import train

    if not train(training, stop=stop).done:
        raise KeyboardInterrupt
    how = {
        "checkpoint": training.run_dir,
        "data_dir": training.data_dir,
        "layout": folders.GROUPS,
        "output_dir": os.path.join(training.run_dir, "evaluation"),
    }
    for kind in _REFERENCES:
        with contextlib.redirect_stdout(io.StringIO()):  # a table each
            result = evaluate(EvaluationConfig(**how, references=kind))
        if result.failed:
            picture, _, reason = result.failed[0]
            raise InputError(f"{picture} could not be measured: {reason}")
        if stop.requested:
            raise KeyboardInterrupt
    found = {
        "parameters": _learning(training),
        "parameters_published_sizes": _learning(training, published=True),
        "seconds_per_step": _seconds(training),
        "means": result.means,  # of all kinds: the folder holds the rows of all
    }
    path = os.path.join(training.run_dir, _MEASURED)
    with written_aside(path) as aside, open(aside, "w") as file:
        json.dump(found, file)
    return found


def _learning(training, published=False):
    """How many parameters learn, here or with the published network's sizes."""
    from ttsr_tf.models import model_class

    sizes = {f.name: f.default for f in dataclasses.fields(training) if f.name in _SIZES}
    model = model_class(training.model)(**training.model_config | (sizes if published else {}))
    model.build()
    frozen = 0 if training.train_extractor else model.texture_extractor.count_params()
    return model.count_params() - frozen


def _seconds(training):
    """Of a step, the median."""
    with open(os.path.join(training.run_dir, "scalars.csv"), newline="") as file:
        rates = [float(row["steps_per_second"] or 0) for row in csv.DictReader(file)]
    return 1 / statistics.median(filter(None, rates))


def _table(found):
    """Markdown: means over the seeds, and half of what is between the lowest and the highest."""
    kinds = list(_REFERENCES.values())
    first = next(iter(found.values()))[0]["means"]
    bicubic = [f"{first[kind]['bicubic_psnr']:.2f}" for kind in kinds]
    lines = [
        f"| PSNR, dB | {' | '.join(kinds)} | parameters | at published sizes | s a step |",
        "|---" * (len(kinds) + 4) + "|",
        f"| bicubic | {' | '.join(bicubic)} | | | |",
    ]
    for name, runs in found.items():
        cells = []
        for kind in kinds:
            psnr = [run["means"][kind]["psnr"] for run in runs]
            cells.append(f"{statistics.fmean(psnr):.2f} ± {(max(psnr) - min(psnr)) / 2:.2f}")
        counts = [f"{runs[0][key]:,}" for key in ("parameters", "parameters_published_sizes")]
        seconds = statistics.fmean(run["seconds_per_step"] for run in runs)
        lines.append(f"| {' | '.join([name, *cells, *counts, f'{seconds:.2f}'])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    cli.run(Config, main, stopped="Stopped. The same command goes on.")
