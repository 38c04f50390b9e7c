from .config import EvaluationConfig as EvaluationConfig
from .run import evaluate as evaluate
