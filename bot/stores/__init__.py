"""Where the house keeps things: Redis (embedded or a server of yours), the address of the SQL store, the data directory.

What is kept there belongs to the rooms above; this one knows only how to open, check and close.
"""

from bot.stores.errors import StoreError
from bot.stores.folder import database_url, prepare_data_dir
from bot.stores.redis import open_redis
from bot.stores.safety import redis_findings

__all__ = ["StoreError", "database_url", "open_redis", "prepare_data_dir", "redis_findings"]
