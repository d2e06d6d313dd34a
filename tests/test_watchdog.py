"""A loop that no longer turns ends the process, with the place on stderr; a busy one does not."""

import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import asyncio, time
from bot.watchdog import watched

def the_plugin_that_never_yields():
    time.sleep(20)

async def main():
    async with watched({deadline}):
        {work}
    {after}

asyncio.run(main())
"""


def run(deadline, work, after="pass"):
    program = textwrap.dedent(PROGRAM).format(deadline=deadline, work=work, after=after)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.fault("K1")
def test_a_loop_without_a_pause_ends_the_process_and_says_where_it_stood():
    ended = run(1, "await asyncio.sleep(0.1); the_plugin_that_never_yields()")

    assert ended.returncode == 1
    assert "the_plugin_that_never_yields" in ended.stderr


def test_a_loop_that_turns_is_left_alone_however_long_it_lives():
    ended = run(1, "[time.sleep(0.2) or await asyncio.sleep(0) for _ in range(8)]; print('through')")

    assert (ended.returncode, ended.stdout.strip()) == (0, "through"), ended.stderr


def test_after_the_block_nobody_watches():
    ended = run(1, "await asyncio.sleep(0)", after="time.sleep(1.6)")

    assert ended.returncode == 0, ended.stderr
