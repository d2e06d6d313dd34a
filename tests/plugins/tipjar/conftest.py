"""The package lies beside this file; an author has installed it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
