"""A batch: which picture goes where, workers of Ray that enlarge them, and their way there."""
