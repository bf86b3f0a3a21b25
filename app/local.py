"""Local: a language model in a file, run on this machine by llama.cpp in a child process.

Nothing is downloaded, and nobody else can ask it: it listens on loopback, for a key of one run. It ends with the
process that started it.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import secrets
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import config
from app import AnswerError
from app.endpoint import Endpoint

WINDOW = 4096  # tokens that are read and written for one answer, where no setting says more
CURE = "install what runs it (`pip install 'prepshelf[writer]'`)"


@dataclass(frozen=True)
class Child:
    """The process that runs a model."""

    process: subprocess.Popen[bytes]
    port: int
    key: str

    def end(self) -> None:
        """End it; it does so by itself once nobody holds the other end of its input."""
        self.process.kill()
        with suppress(BrokenPipeError):  # it may be gone before it read the key
            self.process.communicate()


_children: dict[tuple[str, int], Child] = {}
_starting = threading.Lock()


def served(endpoint: Endpoint, window: int = WINDOW) -> Endpoint:
    """Return the endpoint of a model in a file, with the address at which a child process serves it from now on.

    It does not wait until the model is loaded. Raises AnswerError where the model cannot be run.
    """
    with _starting:
        child = _children.get((endpoint.file, window))
        if child is None:
            stop()  # two models would be too much for a laptop
            child = _children[endpoint.file, window] = _started(endpoint.file, window)
        elif child.process.poll() is not None:
            stop()  # what is mended is tried again
            raise AnswerError(f"{endpoint.file} could not be run (PREPSHELF_LLM_FILE); is it a whole GGUF model?")
    return replace(endpoint, url=f"http://127.0.0.1:{child.port}/v1", key=child.key)


def stop() -> None:
    """End what runs."""
    while _children:
        _children.popitem()[1].end()


atexit.register(stop)


def _started(file: str, window: int) -> Child:
    if not Path(file).is_file():
        raise AnswerError(f"{file} is no file; set PREPSHELF_LLM_FILE to a model (GGUF).")
    if importlib.util.find_spec("xllamacpp") is None:
        raise AnswerError(f"a model in a file cannot be run yet; {CURE}.")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "app.local", file, str(port), str(window)],
        cwd=config.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    child = Child(process, port, secrets.token_hex(16))
    assert process.stdin
    with suppress(BrokenPipeError):  # the next question is told that it could not run
        process.stdin.write(f"{child.key}\n".encode())
        process.stdin.flush()
    return child


def main() -> None:
    """Serve a model until the process that gave the key is gone."""
    import xllamacpp

    file, port, window = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.port, params.n_ctx, params.ui = int(port), int(window), False
    params.api_keys = [sys.stdin.readline().strip()]
    # Half of the cores: a machine that is in use answers sooner so.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) // 2)
    server = xllamacpp.Server(params)
    sys.stdin.read()
    del server
    os._exit(0)


if __name__ == "__main__":
    main()
