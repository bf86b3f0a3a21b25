"""A command pays for what it uses: which of the heavy libraries each of them imports, over a real shelf."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import RING, a_source

from index import build, encoder

ROOT = Path(__file__).resolve().parent.parent
NEVER = {"torch", "sentence_transformers", "transformers", "chainlit", "llama_index", "nltk", "openvino_telemetry"}
SEARCH = {"numpy", "faiss", "bm25s", "openvino"}
FETCH = {"httpx2", "trafilatura", "warcio", "pypdfium2", "docutils"}
TOLD = f"print(*sorted(set(sys.modules) & {NEVER | SEARCH | FETCH}), file=sys.stderr)"
RUN = f"import atexit, sys, cli; atexit.register(lambda: {TOLD}); cli.main()"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data folder with a shelf by the built-in encoder."""
    folder = tmp_path_factory.mktemp("data")
    build.build([(RING, a_source(RING))], encoder.load(engines=folder / "engines"), folder)
    return folder


@pytest.mark.parametrize(
    ("command", "may"),
    [
        (["--help"], set()),
        (["ask", "--help"], set()),
        (["status"], set()),
        (["status", "--json"], set()),
        (["search", "how does ring-allreduce work?", "--json"], SEARCH),
        (["ask", "how does ring-allreduce work?"], SEARCH),
        (["ask", "how does ring-allreduce work?", "--json"], SEARCH),
        (["read", "what should I read about ring-allreduce?"], SEARCH),
    ],
    ids=lambda part: " ".join(part if isinstance(part, list) else sorted(part)),
)
def test_a_command_imports_only_what_it_uses(data, command, may):
    env = {**os.environ, "PREPSHELF_DATA": str(data), "PREPSHELF_LLM_URL": "none", "PREPSHELF_ENCODER": ""}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *command], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip()
    assert set(done.stderr.split("\n")[-2].split()) <= may
