"""The network outside of this package: SavedModels, serving, folders on many processors.

In a checkout this package is called `export`, installed it is `ttsr_tf.export`; what is in it
imports its neighbours relatively.

doors (saved_model, litert, serve, client, batch)
  └► server, workers, lite ─► package (beside a SavedModel) ─► graph (inside of it) ─► ttsr_tf
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
