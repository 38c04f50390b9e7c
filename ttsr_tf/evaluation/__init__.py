"""Measuring a network on a test set, each number with its protocol:
`evaluate(EvaluationConfig(…))`.
"""

from ttsr_tf import lazy

__getattr__, __dir__ = lazy.names(
    __name__, {"EvaluationConfig": "config", "EvaluationResult": "run", "evaluate": "run"}
)
