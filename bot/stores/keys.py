"""Public keys that providers fetched from their institutions, one file each, replaced whole."""

import os
import re
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}", re.ASCII)


class KeyFolder:
    """`providers.sdk.contract.KeyStore` in a folder of one account."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        """The bytes stored under that name."""
        path = self._path(name)
        return path.read_bytes() if path.exists() else None

    def put(self, name: str, value: bytes) -> None:
        """Write beside the old file and rename over it, so that a killed host keeps one of the two whole."""
        path = self._path(name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(path.suffix + ".new")
        with fresh.open("wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.strip(".") == "":
            raise ValueError(f"{name!r} is not a name of a key: letters, digits, '_', '-' and '.' only.")
        return self._folder / name
