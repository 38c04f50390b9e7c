from .package.config import SavedModelConfig as SavedModelConfig
from .package.run import export_saved_model as export_saved_model
from .server.client import request_upscale as request_upscale
from .server.client_config import ClientConfig as ClientConfig
from .server.config import ServeConfig as ServeConfig
from .server.run import serve_saved_model as serve_saved_model
from .workers.config import BatchConfig as BatchConfig
from .workers.run import upscale_batch as upscale_batch
