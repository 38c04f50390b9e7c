"""What is inside of a SavedModel: signatures, decoding, limits, the network, all in the graph."""
