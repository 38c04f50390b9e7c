from .config import EvaluationConfig as EvaluationConfig
from .run import EvaluationResult as EvaluationResult
from .run import evaluate as evaluate
