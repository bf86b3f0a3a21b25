"""Served: the chat as people run it, in a process of its own, to see what it takes while it waits."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from eval import EvalError

PATIENCE = 120.0  # seconds until it must answer
CALM = 3.0  # seconds after which it has done what it does at its start


def idle_megabytes(data: Path) -> float:
    """Return the resident memory of `prep chat` over a data folder once it serves and nobody asks.

    Raises EvalError where it does not start.
    """
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(Path(__file__).resolve().parent.parent / "cli.py"), "chat", "--port", str(port)]
    env = {**os.environ, "PREPSHELF_DATA": str(data), "PREPSHELF_LLM_URL": "none"}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as chat:
        try:
            _wait(f"http://127.0.0.1:{port}/", chat)
            time.sleep(CALM)
            return sum(_resident(pid) for pid in [chat.pid, *_children(chat.pid)]) / 1024
        finally:
            chat.send_signal(signal.SIGINT)
            try:
                chat.wait(timeout=30)
            except subprocess.TimeoutExpired:
                chat.kill()


def _wait(url: str, chat: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if chat.poll() is not None:
            raise EvalError(f"`prep chat` ended with {chat.returncode} before it served; run it to see why.")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise EvalError(f"`prep chat` did not serve within {PATIENCE:.0f} s.")


def _resident(pid: int) -> float:
    """Return the kilobytes that a process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return float(status.partition("VmRSS:")[2].split()[0])


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text(encoding="ascii").split()] if listed.exists() else []
