from .config import PageConfig as PageConfig
from .run import serve_page as serve_page
