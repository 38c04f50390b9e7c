"""What must answer at once never imports TensorFlow."""

import subprocess
import sys

from conftest import ROOT

# Files that DESIGN marks, and the doors.
LIGHT = [
    *("ttsr_tf", "ttsr_tf.__main__", "ttsr_tf.cli", "ttsr_tf.compat", "ttsr_tf.configuration"),
    *("ttsr_tf.errors", "ttsr_tf.files", "ttsr_tf.ports", "ttsr_tf.progress"),
    *("ttsr_tf.images", "ttsr_tf.images.files", "ttsr_tf.images.sheets", "ttsr_tf.models"),
    *("ttsr_tf.images.attention", "ttsr_tf.images.degradation", "ttsr_tf.images.warp"),
    *("ttsr_tf.weights", "ttsr_tf.weights.files", "ttsr_tf.weights.naming"),
    *("ttsr_tf.data", "ttsr_tf.data.pairing", "ttsr_tf.data.sets", "ttsr_tf.data.folders"),
    *("ttsr_tf.data.pairs", "ttsr_tf.data.sample", "ttsr_tf.data.cufed5", "ttsr_tf.data.records"),
    *(f"ttsr_tf.data.{name}" for name in ("crops", "photographs", "sources")),
    *("ttsr_tf.inference", "ttsr_tf.inference.config", "ttsr_tf.inference.jobs"),
    *(f"ttsr_tf.inference.{name}" for name in ("memory", "tiles", "engines", "litert", "search")),
    *(f"ttsr_tf.inference.{name}" for name in ("pasting", "encoding", "ways", "upscaler", "run")),
    *("ttsr_tf.images.given", "ttsr_tf.images.luma", "ttsr_tf.images.resizing"),
    *("ttsr_tf.weights.tflite", "ttsr_tf.web.enlarging", "ttsr_tf.web.run"),
    *("ttsr_tf.evaluation", "ttsr_tf.evaluation.config", "ttsr_tf.evaluation.references"),
    *("ttsr_tf.evaluation.results", "ttsr_tf.evaluation.published", "ttsr_tf.evaluation.report"),
    *("ttsr_tf.evaluation.extremes", "ttsr_tf.evaluation.scores", "ttsr_tf.weights.lpips"),
    *("ttsr_tf.evaluation.plot", "ttsr_tf.evaluation.warps"),
    *("ttsr_tf.training", "ttsr_tf.training.config", "ttsr_tf.training.run_folder"),
    *("ttsr_tf.web", "ttsr_tf.web.config", "ttsr_tf.web.photograph"),
    *(f"ttsr_tf.{door}" for door in ("train", "evaluate", "upscale", "convert", "demo", "page")),
    *(f"export.{door}" for door in ("saved_model", "litert", "serve", "client", "batch")),
    "export.workers.worker",
]


def test_light_modules():
    lines = [
        "import importlib, sys",
        "sys.modules.update(tensorflow=None, keras=None)  # importing them raises",
        f"for name in {LIGHT}: importlib.import_module(name)",
    ]
    result = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
