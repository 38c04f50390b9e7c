"""What is beside a SavedModel, and how one is written: as a whole version, verified before."""
