"""A network as one file for LiteRT: its graphs, its weights by name, what it says of itself."""
