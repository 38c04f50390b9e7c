from .naming import names as names
