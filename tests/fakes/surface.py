"""The messenger in memory that the test kit ships, under the name it has in these tests."""

from bot.sandbox.kit.surface import MemorySurface as FakeSurface
from bot.sandbox.kit.surface import text_of

__all__ = ["FakeSurface", "text_of"]
