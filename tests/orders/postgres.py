"""A private PostgreSQL for the tests: on a unix socket in a folder of its own, gone with the session."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_SERVER = "No PostgreSQL server binary is on this machine (Debian: apt-get install postgresql)."


def binaries() -> Path | None:
    """The newest installed server's folder."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def server(*, durable: bool = False) -> Iterator[Path]:
    """Start one, give the folder of its socket, stop it. One that is not `durable` is fast, and unfit for live payments."""
    folder = binaries()
    assert folder is not None, NO_SERVER
    home = Path(tempfile.mkdtemp(prefix="moongate-pg-"))
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(home, "postgres", "postgres")
    try:
        run([folder / "initdb", "-D", home / "data", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8"])
        options = (
            f"-k {home} -c listen_addresses='' -c fsync={'on' if durable else 'off'} -c max_connections=50"
        )
        run([folder / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-o", options, "start"])
        try:
            yield home
        finally:
            run([folder / "pg_ctl", "-D", home / "data", "-w", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(command: list[object]) -> None:
    words = [str(word) for word in command]
    if os.getuid() == 0:
        words = ["runuser", "-u", "postgres", "--", *words]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{words} failed:\n{done.stdout}{done.stderr}")
