"""Worlds, lines and servers for the proofs."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.proof.house import make_world, open_world
from tests.proof.servers import PostgresServer, RedisServer


@pytest.fixture(scope="session")
def world_template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(make_world(folder))
    return folder


@pytest.fixture
async def world(tmp_path, world_template):
    with capture_logs():  # a trace on the console, with the values of every variable, takes seconds
        async with open_world(tmp_path, world_template) as world:
            yield world


@pytest.fixture
async def redis_server(tmp_path):
    server = RedisServer(tmp_path / "redis")
    await server.start()
    yield server
    server.kill()


@pytest.fixture
def postgres_server():
    """On a folder that the user postgres can reach."""
    home = Path(tempfile.mkdtemp(prefix="moongate-pg-"))
    server = PostgresServer(home)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
