"""The console command: `ttsr COMMAND --…`, of the names in `COMMANDS`."""

import importlib.util
import runpy
import sys

import ttsr_tf

COMMANDS = {
    "upscale": "ttsr_tf.upscale",
    "train": "ttsr_tf.train",
    "evaluate": "ttsr_tf.evaluate",
    "convert": "ttsr_tf.convert",
    "demo": "ttsr_tf.demo",
    "page": "ttsr_tf.page",
    "export": "export.saved_model",
    "litert": "export.litert",
    "serve": "export.serve",
    "client": "export.client",
    "batch": "export.batch",
}


def main():
    """Runs a command as `python -m` does."""
    name, *rest = sys.argv[1:] or ["--help"]
    if name == "--version":
        print(f"ttsr-tf {ttsr_tf.__version__}")
        return
    if name in ("-h", "--help"):
        print("ttsr COMMAND --help tells of one:", ", ".join(COMMANDS))
        return
    if name not in COMMANDS:
        print(f"error: there is no command {name!r}: {', '.join(COMMANDS)}.", file=sys.stderr)
        sys.exit(1)
    module = COMMANDS[name]
    # Installed, the folder `export` of the project is a part of the package.
    if module.startswith("export.") and importlib.util.find_spec("ttsr_tf.export"):
        module = f"ttsr_tf.{module}"
    sys.argv = [f"ttsr {name}", *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
