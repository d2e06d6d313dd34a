"""`.venv/bin/python -m tests.write_env_example` writes `.env.example` from the settings of the host and its providers."""

from pathlib import Path

from bot.catalogue import read_catalogue
from bot.settings import env_example

if __name__ == "__main__":
    ours = [provider.plugin for provider in read_catalogue().providers if provider.distribution == "moongate"]
    (Path(__file__).parent.parent / ".env.example").write_text(env_example(ours), encoding="utf-8")
