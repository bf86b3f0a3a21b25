"""A sample of the soak; `python scripts/soak.py --kills 500` is the whole of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_twenty_kills_lose_nothing():
    command = [sys.executable, ROOT / "scripts" / "soak.py", "--kills", "20", "--seed", "17"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "20 kills with seed 17: all held" in done.stdout


@pytest.mark.slow
def test_no_request_or_event_of_any_shape_ends_in_a_500_or_stops_another_person():
    command = [sys.executable, ROOT / "scripts" / "fuzz.py", "--minutes", "0.5", "--seed", "17"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "no 500, no stuck queue" in done.stdout
