"""Published SDKs are synchronous: the institution serves from a thread of its own, over loopback HTTP."""

import asyncio
import hashlib
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from urllib.request import Request, urlopen

import pytest

from bot.catalogue import read_catalogue
from bot.sandbox.alone import open_alone

WITHIN_S = 20


@dataclass
class Served:
    """An institution at its address, its test merchant, and the payer's address."""

    base_url: str
    payer_url: str
    merchant: dict

    def pay(self, code, **more):
        """A person scans the code and confirms."""
        body = json.dumps({"code": code, **more}).encode()
        request = Request(f"{self.payer_url}/pay", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=WITHIN_S) as answer:
            return json.load(answer)


class Street:
    """An event loop in a thread, on which institutions are opened and closed."""

    def __init__(self, folder):
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._open = []

    def serve(self, provider):
        plugin = read_catalogue().plugins[provider]
        context = open_alone(plugin, self._folder / provider)
        alone = self._run(context.__aenter__())
        self._open.append(context)
        institution = alone.institution
        return Served(institution.base_url, alone.payer_url, dict(institution.merchant))

    def close(self):
        for context in self._open:
            self._run(context.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """One for a whole file: an institution takes a second to cut its keys."""
    street = Street(tmp_path_factory.mktemp("street"))
    yield street
    street.close()


class Letterbox:
    """A merchant's notification address, run by the test: everything that arrives is acknowledged and kept."""

    def __init__(self, answer):
        self._arrived = arrived = Queue()

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                arrived.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/notify"

    def take(self):
        """Headers and body of the next notification."""
        return self._arrived.get(timeout=WITHIN_S)

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def number(request):
    """A number that no other test of the file uses."""
    digest = hashlib.sha256(request.node.name.encode()).hexdigest()
    return f"Published{digest[:16]}"


@pytest.fixture
def letterbox():
    box = Letterbox(b"success")
    yield box
    box.close()
