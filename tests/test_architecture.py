"""The rules of the house, checked on its own source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"ingest", "index", "app", "prompts", "eval"}
MAY_IMPORT = {
    "ingest": set(),
    "prompts": set(),
    "index": {"ingest"},
    "app": {"ingest", "index", "prompts", "config"},
    "eval": {"ingest", "index", "app", "prompts"},
}
# One door a library: the modules that may import it.
DOORS = {
    "faiss": {"index/vectors.py"},
    "bm25s": {"index/lexical.py"},
    "Stemmer": {"index/lexical.py"},
    "sentence_transformers": {"index/slow.py"},
    "openvino": {"index/network.py"},
    "tokenizers": {
        "index/fast.py",
        "index/reader/cross.py",
        "index/reader/engine.py",
        "index/reader/training/export.py",
        "index/reader/training/network.py",
    },
    "llama_index": {
        "index/split.py",
        "index/vectors.py",
        "app/llm.py",
        "eval/plain.py",
        "eval/peers.py",
    },  # the last: what it is compared with
    "trafilatura": {"ingest/maintext.py", "eval/peers.py"},
    "pypdfium2": {"ingest/pdf.py"},
    "mammoth": {"ingest/forms/office.py"},
    "pptx": {"ingest/forms/office.py"},
    "nbformat": {"ingest/forms/notebook.py"},
    "docutils": {"ingest/forms/rst.py"},
    "warcio": {"ingest/archive.py", "ingest/keeper.py"},
    "httpx2": {"ingest/exchange.py", "app/wire.py", "app/llm.py"},
    "tenacity": {"app/llm.py"},
    "xllamacpp": {"app/local.py"},
    "pebble": {"ingest/parsing.py"},
    "chainlit": {f"app/{name}.py" for name in "main logins memory progress reply routes server sockets".split()},
    "sqlalchemy": {"app/database.py", "app/schema.py"},
    "argon2": {"app/accounts.py"},
    "jwt": {"app/gate.py"},
    "prometheus_client": {"app/figures.py"},
    "starlette": {"app/gate.py", "app/routes.py"},
    "uvicorn": {"app/server.py"},
    "ir_measures": {"eval/retrieval.py"},
    "matplotlib": {"eval/plots.py"},
    "jinja2": {"eval/page.py"},
}
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down_the_house_only(path):
    room = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[0] for name in imports(path)} & (ROOMS | {"config", "cli"})
    assert ours - {room} <= MAY_IMPORT[room]


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_its_doors(library):
    users = {
        str(path.relative_to(ROOT)) for path in SOURCES if any(name.split(".")[0] == library for name in imports(path))
    }
    assert users == DOORS[library]


def test_settings_are_read_at_the_entry_points_only():
    readers = {path.relative_to(ROOT).name for path in SOURCES if "os.environ" in path.read_text(encoding="utf-8")}
    assert readers <= {"slow.py", "plain.py", "peers.py", "server.py", "races.py", "served.py"}, (
        "they set variables of their libraries; nothing reads"
    )


def test_no_room_has_a_module_named_like_another_room_or_a_corner_for_odds_and_ends():
    names = {path.stem for path in SOURCES}
    assert not names & (ROOMS | {"utils", "helpers", "types", "common", "core", "misc"})


def test_help_costs_nothing_but_the_front_door():
    script = "import sys, cli; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    heavy = ["numpy", "torch", "faiss", "chainlit", "llama_index", "trafilatura", "sentence_transformers", "bm25s"]
    out = subprocess.run([sys.executable, "-c", script, *heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
