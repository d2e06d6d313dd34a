"""A whole `moongate` process on free ports, and a person who uses it through DESIGN's scripted calls only."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx

WAIT_S = 30.0
START_WITHIN_S = 180.0  # keys are cut on the first start, and the machine may be busy
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, look: Callable[[], T | None], within_s: float = WAIT_S) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"Waited {within_s:g} s in vain for {what}.")


class House:
    """`moongate sandbox` in a folder of its own; may be killed and started again on the same ports."""

    def __init__(self, folder: Path, extra: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.page_port, self.web_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.page_port}"
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self._extra = extra or {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        env = {
            **os.environ, "SANDBOX_PORT": str(self.page_port), "WEB_PORT": str(self.web_port),
            "DATA_DIR": str(self.folder / "data"), "LOG_FORMAT": "json", **self._extra,
        }  # fmt: skip
        with (self.folder / "house.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).with_name("moongate")), "sandbox"],
                cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        wait_for(f"the house on {self.url} (see {self.folder}/house.log)", self._ready, START_WITHIN_S)

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError((self.folder / "house.log").read_text()[-3000:])
        with contextlib.suppress(httpx.HTTPError):
            return (
                httpx.get(f"{self.web_url}/readyz").status_code == 200
                and httpx.get(f"{self.url}/sandbox/wallets").status_code == 200
            )
        return False

    def kill(self) -> None:
        """The power goes out: SIGKILL, nothing is told to anybody."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """As an operator does, with SIGTERM. The exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(WAIT_S)

    @property
    def log(self) -> str:
        return (self.folder / "house.log").read_text()


@contextlib.contextmanager
def open_house(folder: Path, extra: dict[str, str] | None = None) -> Iterator[House]:
    house = House(folder, extra)
    try:
        house.start()
        yield house
    finally:
        house.stop()


class Person:
    """Somebody in the chat, with wallets in the pocket."""

    def __init__(self, url: str, user_id: int = 7001) -> None:
        self.user_id = user_id
        self._http = httpx.Client(base_url=url, timeout=WAIT_S)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        reply = self._http.request(method, path, json=body or None)
        assert reply.status_code == 200, f"{method} {path}: {reply.status_code} {reply.text}"
        answer: dict[str, Any] = reply.json()
        return answer

    def refused(self, method: str, path: str, **body: Any) -> tuple[int, str]:
        reply = self._http.request(method, path, json=body or None)
        assert reply.status_code >= 400, reply.text
        return reply.status_code, str(reply.json()["error"])

    def send(self, text: str) -> None:
        self.call("POST", f"/sandbox/users/{self.user_id}/send", text=text)

    def tap(self, label: str) -> dict[str, Any]:
        """Tap as soon as there is such a button."""
        path = f"/sandbox/users/{self.user_id}/tap"

        def attempt() -> dict[str, Any] | None:
            reply = self._http.post(path, json={"label": label})
            return reply.json() if reply.status_code == 200 else None

        return wait_for(f"a button {label!r} in {self.chat()}", attempt)

    def chat(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.call("GET", f"/sandbox/users/{self.user_id}/chat")["messages"]
        return messages

    def see(self, words: str, within_s: float = WAIT_S) -> dict[str, Any]:
        """Wait for a message of the bot with these words."""
        return wait_for(
            f"{words!r} in the chat",
            lambda: next((m for m in self.chat() if words in m["text"]), None),
            within_s,
        )

    def count(self, words: str) -> int:
        return sum(words in message["text"] for message in self.chat())

    def shown_code(self) -> str:
        """The QR text of the newest picture in the chat."""
        return str(
            wait_for(
                "a code in the chat",
                lambda: next(
                    (
                        m["photo"]["qr_text"]
                        for m in reversed(self.chat())
                        if (m["photo"] or {}).get("qr_text")
                    ),
                    None,
                ),
            )
        )

    def scan(self, wallet: str, code: str) -> dict[str, Any]:
        return self.call("POST", f"/sandbox/wallets/{wallet}/scan", code=code)

    def pay(self, wallet: str, bill: str, *faults: str) -> str:
        return str(
            self.call("POST", f"/sandbox/wallets/{wallet}/pay", bill=bill, faults=list(faults))["status"]
        )

    def orders(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.call("GET", "/sandbox/orders")["orders"]
        return orders

    def balance(self, wallet: str) -> int:
        wallets = self.call("GET", "/sandbox/wallets")["wallets"]
        return int(next(w["balance_minor"] for w in wallets if w["id"] == wallet))

    def order_coffee(self) -> str:
        """From `/start` to the code on the screen."""
        self.send("/start")
        self.tap("Coffee")
        self.tap("Latte")
        self.tap("Checkout")
        self.tap("Pay")
        return self.shown_code()
