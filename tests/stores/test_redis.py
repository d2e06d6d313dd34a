import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from redis import asyncio as aioredis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from bot.settings import Settings
from bot.stores import StoreError, open_redis, redis_findings
from bot.stores.embedded import EmbeddedRedis, redis_binary
from bot.stores.safety import check_version, objections


def started(*command, **options):
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def alive(pid):
    """Running; a dead child that nobody has collected yet does not count."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture
async def bare_redis(tmp_path):
    """A server as Debian ships it: no append-only file."""
    path = tmp_path / "bare.sock"
    options = ("--port", "0", "--unixsocket", path, "--save", "", "--maxmemory-policy", "allkeys-lru")
    server = started(redis_binary(), *options, cwd=tmp_path)
    for _ in range(200):
        if path.exists():
            break
        await asyncio.sleep(0.02)
    yield f"unix://{path}"
    server.terminate()
    server.communicate(timeout=10)


async def test_what_is_written_is_there_after_a_restart(settings):
    async with open_redis(settings) as client:
        await client.set("seat", b"42")

    async with open_redis(settings) as client:
        assert await client.get("seat") == b"42"


async def test_the_embedded_server_is_safe_for_sessions_and_has_no_network_port(settings):
    async with open_redis(settings) as client:
        findings = await redis_findings(client)
        port = (await client.config_get("port"))["port"]

    assert findings == ()
    assert port == "0"


async def test_nothing_is_left_running_after_closing(tmp_path):
    server = EmbeddedRedis(redis_binary(), tmp_path / "redis")

    await server.start()
    pid = server.pid
    await server.stop()

    assert not alive(pid)
    assert server.pid is None


async def test_a_second_host_on_the_same_directory_is_refused(settings):
    async with open_redis(settings) as client:
        with pytest.raises(StoreError, match="in use by another Moongate"):
            async with open_redis(settings):
                pass
        assert await client.ping()


async def test_a_directory_of_a_very_long_name_works(tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)

    async with open_redis(Settings(_env_file=None, data_dir=deep)) as client:
        assert await client.set("a", 1)


async def test_a_broken_append_only_file_is_reported_in_one_sentence(settings):
    async with open_redis(settings) as client:
        await client.set("a", 1)
    (settings.data_dir / "redis" / "appendonly.aof").write_bytes(b"this is no append-only file\r\n" * 9)

    with pytest.raises(StoreError, match=r"did not start: .*format"):
        async with open_redis(settings):
            pass


@pytest.mark.fault("G4")
async def test_a_torn_append_only_file_is_repaired(settings):
    async with open_redis(settings) as client:
        await client.set("kept", 1)
        await client.set("torn", 2)
    file = settings.data_dir / "redis" / "appendonly.aof"
    file.write_bytes(file.read_bytes()[:-3])

    async with open_redis(settings) as client:
        assert await client.get("kept") == b"1"


async def test_a_stale_socket_file_is_no_obstacle(settings):
    folder = settings.data_dir / "redis"
    folder.mkdir(parents=True)
    (folder / "redis.sock").write_text("left over")

    async with open_redis(settings) as client:
        assert await client.ping()


HOST = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from bot.settings import Settings
    from bot.stores import open_redis

    async def main():
        async with open_redis(Settings(_env_file=None, data_dir=Path(sys.argv[1]))) as client:
            pid = (await client.info("server"))["process_id"]
            print(pid, flush=True)
            for n in range(10**9):
                await client.set("n", n)
                print(n, flush=True)

    asyncio.run(main())
""")


async def test_kill_minus_9_of_the_host_ends_the_server_and_loses_nothing_it_answered(settings):
    host = started(sys.executable, "-c", HOST, settings.data_dir)
    pid, *answered = [int(await asyncio.to_thread(host.stdout.readline)) for _ in range(100)]
    os.kill(host.pid, signal.SIGKILL)
    host.communicate(timeout=10)

    async with open_redis(settings) as client:
        kept = int(await client.get("n"))

    assert kept >= answered[-1]
    assert not alive(pid)


async def test_a_server_left_behind_is_ended_before_the_next_starts(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.stores.embedded._dies_with_parent", lambda: None)
    orphaned = EmbeddedRedis(redis_binary(), tmp_path / "redis")
    await orphaned.start()
    os.close(orphaned._host_lock)  # what the kernel does when the host is killed
    orphaned._host_lock = -1

    heir = EmbeddedRedis(redis_binary(), tmp_path / "redis")
    await heir.start()

    assert heir.pid is not None
    assert orphaned._server.wait(5) is not None
    await heir.stop()
    await orphaned.stop()


@pytest.mark.fault("G3", "G13")
async def test_an_embedded_server_that_is_killed_is_started_again_with_what_it_held(tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path)
    async with open_redis(settings) as client:
        await client.set("a", b"kept")
        os.kill((await client.info("server"))["process_id"], signal.SIGKILL)

        async with asyncio.timeout(20):
            kept = None
            while kept is None:
                with contextlib.suppress(RedisError, OSError):
                    kept = await client.get("a")

    assert kept == b"kept"


@pytest.mark.fault("G6")
async def test_unsafe_settings_come_with_their_cure(bare_redis):
    settings = Settings(_env_file=None, redis_url=bare_redis)

    async with open_redis(settings) as client:
        findings = await redis_findings(client)

    assert [finding.partition(": ")[2] for finding in findings] == [
        "set `appendonly yes` in redis.conf.",
        "set `maxmemory-policy noeviction`.",
    ]


def low_port():
    """A free one whose cluster bus, 10000 above it, is a port too."""
    for port in range(20_000 + os.getpid() % 10_000, 50_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise LookupError("No free port.")


@pytest.fixture
async def cluster(tmp_path):
    """One node that owns every slot."""
    port = low_port()
    options = ("--bind", "127.0.0.1", "--port", str(port), "--cluster-enabled", "yes", "--save", "")
    server = started(redis_binary(), *options, cwd=tmp_path)
    async with aioredis.Redis(port=port) as client:
        await client.cluster("ADDSLOTS", *range(16384))
        for _ in range(200):
            if (await client.cluster("INFO"))["cluster_state"] == "ok":
                break
            await asyncio.sleep(0.05)
    yield f"redis://127.0.0.1:{port}"
    server.terminate()
    server.communicate(timeout=10)


async def test_a_cluster_is_recognised_and_serves_scripts_on_one_tag(cluster):
    async with open_redis(Settings(_env_file=None, redis_url=cluster)) as client:
        await client.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, "{seat}a", "1")
        kept = await client.get("{seat}a")
        findings = await redis_findings(client)

    assert isinstance(client, RedisCluster)
    assert kept == b"1"
    assert findings == ("Redis keeps no append-only file: set `appendonly yes` in redis.conf.",)


@pytest.mark.fault("G1")
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1", "redis://"),
        ("redis://127.0.0.1:notaport", "cannot be read"),
    ],
)
async def test_an_address_that_is_none_is_one_clear_sentence(url, said):
    with pytest.raises(StoreError) as refusal:
        async with open_redis(Settings(_env_file=None, redis_url=url)):
            pass

    assert said in str(refusal.value)


@pytest.mark.fault("G1")
async def test_a_redis_that_does_not_answer_is_said_with_the_cure_and_does_not_keep_the_house_shut():
    with capture_logs() as logs:
        async with open_redis(Settings(_env_file=None, redis_url="redis://:hunter2@127.0.0.1:1/0")) as client:
            with pytest.raises(RedisError):
                await client.ping()

    [said] = logs
    assert (said["event"], said["where"]) == ("redis_away", "127.0.0.1")
    assert said["advice"].startswith("Start it, or unset REDIS_URL")
    assert "hunter2" not in str(said)


@pytest.mark.fault("G15")
async def test_an_old_server_is_refused():
    class Old:
        async def info(self, _section):
            return {"redis_version": "5.0.14"}

    with pytest.raises(StoreError, match=r"6\.2 or newer"):
        await check_version(Old())


async def test_without_any_server_binary_sessions_live_in_memory_with_a_finding(
    settings, monkeypatch, caplog
):
    monkeypatch.setattr("bot.stores.redis.redis_binary", lambda: None)

    async with open_redis(settings) as client:
        await client.set("a", 1)
        assert await client.get("a") == b"1"
        findings = await redis_findings(client)

    assert "install redis-server" in findings[0]


@pytest.mark.parametrize(
    ("told", "cure"),
    [
        ({}, ""),
        ({"role": "slave"}, "name the primary in REDIS_URL"),
        ({"aof_last_write_status": "err"}, "free space on its disk"),
        ({"rdb_last_bgsave_status": "err"}, "then BGSAVE"),
        ({"maxmemory_policy": "volatile-lru"}, "set `maxmemory-policy noeviction`"),
    ],
)
def test_each_weakness_of_a_redis_has_its_cure(told, cure):
    info = {"aof_enabled": 1, "role": "master", **told}

    found = " ".join(objections(info, info, info))

    assert (cure in found) if cure else found == ""


async def test_an_append_only_file_that_is_left_to_the_kernel_is_refused(settings):
    async with open_redis(settings) as client:
        await client.config_set("appendfsync", "no")

        [finding] = await redis_findings(client)

    assert "appendfsync everysec" in finding
