"""The network outside of this package: SavedModels, serving."""
