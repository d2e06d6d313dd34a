"""The sandbox without a host, as a process: Telegram, institutions and wallets for a `moongate run` that is joined to it.

Prints one JSON line with the environment such a host needs.
"""

import asyncio
import json
import sys
from pathlib import Path

from bot.catalogue import read_catalogue
from bot.sandbox.sandbox import Sandbox
from bot.settings import AccountName


async def _main(folder: Path, page_port: int, web_port: int) -> None:
    plugins = list(read_catalogue().plugins.values())
    sandbox = Sandbox(plugins, folder, port=page_port, host_url=f"http://127.0.0.1:{web_port}")
    await sandbox.start()
    env = {
        "TELEGRAM_BOT_TOKEN": sandbox.bot_token,
        "TELEGRAM_API_BASE": sandbox.url,
        "PROVIDERS": ",".join(sandbox.merchants),
        "WEB_PORT": str(web_port),
    }
    for provider, merchant in sandbox.merchants.items():
        env |= {f"{AccountName(provider).prefix}{name.upper()}": value for name, value in merchant.items()}
    sys.stdout.write(json.dumps(env) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
