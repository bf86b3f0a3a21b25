"""A language model is asked so that nothing its server does can hurt the asker."""

from __future__ import annotations

import importlib
import logging
import resource
import subprocess
import sys
import threading
import time
import traceback

import pytest
from scripted_llm import DONE, FAULTS, HEAD, chunk, endless, listing, said, serving, status

from app import AnswerError, ModelError, breaker, endpoint, llm
from app.endpoint import Endpoint
from app.llm import Model

KEY = "sk-very-secret-1234"


@pytest.fixture(scope="module", autouse=True)
def imported():
    """The library is there before anything is timed or weighed."""
    importlib.import_module(llm.LIBRARY)


def a_model(url: str, *, seconds: float = 30.0, name: str = "m") -> Model:
    return Model(Endpoint(url, name, KEY, "a test"), seconds=seconds)


def written(model: Model, *, longest: int = 6000) -> tuple[str, ModelError | None]:
    """What a model wrote, and how it failed."""
    text = ""
    try:
        for piece in model.write("rules", "request", longest=longest):
            text += piece
    except ModelError as error:
        return text, error
    return text, None


def test_a_server_that_behaves_is_read_to_its_end_and_told_no_more_than_it_needs():
    with serving(lambda path, request: said("Rings sum buffers [1]. " * 20)) as server:
        text, fault = written(a_model(server.url))
        assert (text, fault) == ("Rings sum buffers [1]. " * 20, None)
        ((path, headers, request),) = server.requests
    assert path == "/v1/chat/completions"
    assert request["messages"] == [{"role": "system", "content": "rules"}, {"role": "user", "content": "request"}]
    assert (request["stream"], request["temperature"]) == (True, 0.0)
    assert headers.pop("authorization") == f"Bearer {KEY}"
    assert set(headers) == {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "user-agent",
        "content-length",
    }


def test_halves_of_a_character_in_two_pieces_are_one_and_a_lone_half_is_told_by_another():
    pieces = [chunk("ring \ud83d"), chunk("\ude00 and \ud800 and \0"), chunk("\ud83d"), chunk("!", finish="stop"), DONE]
    with serving(lambda path, request: [HEAD, *pieces]) as server:
        assert written(a_model(server.url, seconds=30)) == ("ring \U0001f600 and \ufffd and \ufffd!", None)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_ends_in_time_as_a_model_error_without_a_word_of_the_server(name, caplog):
    caplog.set_level(logging.DEBUG)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(lambda path, request: FAULTS[name]()) as server:
        model = a_model(server.url, seconds=1.5)
        begun = time.monotonic()
        text, fault = written(model)
        spent = time.monotonic() - begun
    if name == "no text":  # a stream that ends as it should; its control characters are taken out where it is shown
        assert fault is None
    else:
        assert fault is not None
        assert "secret" not in str(fault) and "<" not in str(fault)
    assert spent < 1.5 + 1
    assert len(text) < 6100
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 24, "MiB"
    shown = "".join(traceback.format_exception(fault)) if fault else ""
    assert KEY not in caplog.text + repr(model) + repr(fault) + shown


@pytest.mark.parametrize(
    ("line", "asked"),
    [("500 X", 3), ("503 X", 3), ("429 X", 3), ("401 X", 1), ("403 X", 1), ("404 X", 1), ("302 X", 1), ("418 X", 1)],
)
def test_only_what_may_pass_is_tried_again_and_at_most_twice(line, asked):
    with serving(lambda path, request: iter([status(line)])) as server:
        written(a_model(server.url, seconds=30))
        assert len(server.requests) == asked


def test_what_fails_once_is_had_at_the_second_try():
    answers = iter([[status("503 X", "Retry-After: 1\r\n")], said("Rings [1].")])
    with serving(lambda path, request: next(answers)) as server:
        begun = time.monotonic()
        assert written(a_model(server.url, seconds=9)) == ("Rings [1].", None)
        assert time.monotonic() - begun >= 1, "the server asked for a second"


def test_what_broke_off_after_its_first_words_is_not_asked_again():
    with serving(lambda path, request: iter([HEAD, chunk("Partial ")])) as server:
        text, fault = written(a_model(server.url))
        assert (text, len(server.requests)) == ("Partial ", 1)
        assert fault and "before the answer was complete" in str(fault)


def test_a_server_that_rejects_the_optional_parts_is_asked_without_them():
    def picky(path, request):
        return said("Fine.") if "max_tokens" not in request else iter([status("400 X")])

    with serving(picky) as server:
        model = a_model(server.url)
        assert written(model) == ("Fine.", None)
        assert written(model) == ("Fine.", None)
        assert len(server.requests) == 3, "it is remembered"


def test_reasoning_is_a_sign_of_life_and_no_text():
    thought = b'data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}\n\n'

    def thinks(path, request):
        yield HEAD
        for _ in range(4):
            time.sleep(0.4)
            yield thought
        yield chunk("Rings.")
        yield DONE

    with serving(thinks) as server:
        assert written(a_model(server.url, seconds=3.0)) == ("Rings.", None)


def test_lines_may_end_as_they_like_and_events_may_be_commented():
    stream = (
        HEAD
        + b": ping\r\n\r\n"
        + chunk("Ri").replace(b"\n", b"\r\n")
        + b"event: x\n"
        + chunk("ngs")
        + b"data:[DONE]\n\n"
    )
    with serving(lambda path, request: iter([stream[:150], stream[150:]])) as server:
        assert written(a_model(server.url)) == ("Rings", None)


def test_who_walks_away_stops_the_server():
    left = threading.Event()

    def script(path, request):
        try:
            yield from endless("spam ", pause=0.01)
        finally:
            left.set()

    with serving(script) as server:
        pieces = a_model(server.url).write("rules", "request", longest=6000)
        assert next(piece for piece in pieces if piece)
        assert not left.is_set()
        pieces.close()
        assert left.wait(2)


def test_who_waits_for_a_silent_server_can_walk_away():
    with serving(lambda path, request: FAULTS["silent"]()) as server:
        pieces = a_model(server.url, seconds=60).write("rules", "request", longest=6000)
        begun = time.monotonic()
        assert next(pieces) == ""
        pieces.close()
        assert time.monotonic() - begun < 20


def test_a_server_that_fails_is_left_to_rest_and_tried_again_by_itself(monkeypatch):
    now = [0.0]
    held = breaker.Breaker()
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    for _ in range(breaker.FAILURES):
        held.enter("host")
        held.failed(lasting=False)
    with pytest.raises(ModelError, match="not asked again for 30 s"):
        held.enter("host")
    now[0] += breaker.REST + 1
    held.enter("host")
    with pytest.raises(ModelError):  # one question tries, the others wait for what becomes of it
        held.enter("host")
    held.worked()
    held.enter("host")
    held.failed(lasting=True)
    with pytest.raises(ModelError):
        held.enter("host")


def test_a_server_that_comes_back_is_used_without_a_restart(monkeypatch):
    monkeypatch.setattr(breaker, "REST", 0.2)
    well = False
    with serving(lambda path, request: said("Rings.") if well else iter([status("401 X")])) as server:
        model = a_model(server.url)
        assert "refused the key" in str(written(model)[1])
        assert "not asked again" in str(written(model)[1])
        assert len(server.requests) == 1
        well = True
        time.sleep(0.3)
        assert written(model) == ("Rings.", None)


def test_a_model_without_a_name_is_the_first_that_writes_text():
    def script(path, request):
        return iter([listing("nomic-embed-text", "qwen3")]) if path == "/v1/models" else said("Rings.")

    with serving(script) as server:
        assert written(a_model(server.url, name="")) == ("Rings.", None)
        assert server.requests[-1][2]["model"] == "qwen3"


@pytest.mark.parametrize(
    "fault", ["endless", "a huge line", "a page", "500", "silent", "bad JSON", "many headers", "a redirect"]
)
def test_a_list_of_models_is_bounded_too(fault):
    with serving(lambda path, request: FAULTS[fault]()) as server:
        begun = time.monotonic()
        with pytest.raises(ModelError):
            endpoint.first_model(server.url, seconds=1)
        assert time.monotonic() - begun < 3


def settings(**given: str):
    import config

    env = {
        "PREPSHELF_DATA": "/nowhere",
        **{f"PREPSHELF_{name.upper()}" if name[0] == "l" else name: value for name, value in given.items()},
    }
    return config.read(env)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (
            {"llm_url": "http://127.0.0.1:1/v1/", "llm_model": "m", "llm_api_key": "k"},
            ("http://127.0.0.1:1/v1", "m", "k"),
        ),
        ({"llm_url": "https://llm.test", "OPENAI_API_KEY": "other"}, ("https://llm.test/v1", "", "")),
        ({"OPENAI_API_KEY": "k"}, None),  # it may lie there for other tools
        ({"OPENAI_API_KEY": "k", "llm": "openai"}, ("https://api.openai.com/v1", endpoint.HOSTED_MODEL, "k")),
        (
            {"OPENAI_API_KEY": "k", "llm": "openai", "llm_model": "m", "OPENAI_BASE_URL": "https://eu.test/v1"},
            ("https://eu.test/v1", "m", "k"),
        ),
        ({"llm": "none", "llm_url": "http://127.0.0.1:1/v1"}, None),
        ({"llm": "openai", "OPENAI_API_KEY": "k", "llm_url": "none"}, None),
        ({"llm_url": "https://llm.test/v1/chat/completions"}, ("https://llm.test/v1", "", "")),
        (
            {"llm_url": "https://x.openai.azure.test/openai/deployments/gpt/chat/completions?api-version=2024-10-21"},
            ("https://x.openai.azure.test/openai/deployments/gpt", "gpt", ""),
        ),
    ],
)
def test_the_endpoint_is_found_from_the_settings_and_no_key_goes_to_another(given, found, monkeypatch):
    monkeypatch.setattr(endpoint, "OLLAMA", ("127.0.0.1", 1))
    chosen = endpoint.find(settings(**given))
    assert (chosen and (chosen.url, chosen.model, chosen.key)) == found
    assert not chosen or chosen.key not in repr(chosen) + str(chosen) or not chosen.key


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.test",
        "x.test/v1",
        "http://user:sk-1@x.test/v1",
        "https://x.test/v1?key=sk-1",
        "http://",
        "http://x\x00",
    ],
)
def test_an_address_that_is_none_is_named_with_the_cure_and_without_itself(url):
    with pytest.raises(AnswerError, match="PREPSHELF_LLM_URL") as caught:
        endpoint.find(settings(llm_url=url))
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [({"llm": "openai"}, "OPENAI_API_KEY is not set"), ({"llm": "gpt"}, "may be openai, local or none")],
)
def test_a_choice_that_cannot_be_followed_is_named_with_the_cure(given, told):
    with pytest.raises(AnswerError, match=told):
        endpoint.find(settings(**given))


def test_an_ollama_is_found_where_one_listens_and_nowhere_else(monkeypatch):
    with serving(lambda path, request: iter([listing("llama3.2")])) as server:
        monkeypatch.setattr(endpoint, "OLLAMA", ("127.0.0.1", server.port))
        monkeypatch.setattr(endpoint, "PROBE", 10.0)  # it is there, and this machine may be busy
        found = endpoint.find(settings())
        assert found and (found.url, found.model, found.key) == (server.url, "llama3.2", "")
    assert endpoint.find(settings()) is None


def test_what_is_set_for_a_model_is_what_it_is_given():
    given = {
        "llm_url": "http://127.0.0.1:1/v1",
        "llm_seconds": "600",
        "llm_follow_up_seconds": "0",
        "llm_context": "2048",
    }
    model = llm.connect(settings(**given))
    assert model and (model.seconds, model.follow_up, model.window) == (600.0, 0.0, 2048)
    model = llm.connect(settings(llm_url="http://127.0.0.1:1/v1"))
    assert model and (model.seconds, model.follow_up, model.window) == (90.0, 2.0, 0)


def test_one_endpoint_has_one_model_so_that_all_conversations_know_that_it_rests():
    given = settings(llm_url="http://127.0.0.1:1/v1", llm_model="m")
    assert llm.connect(given) is llm.connect(given)


def test_answers_without_a_model_import_none_of_its_libraries():
    script = "import sys, app.assistant, app.llm, app.render; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    heavy = ["openai", "llama_index", "llama_index.llms", "httpx", "httpx2", "tenacity"]
    out = subprocess.run([sys.executable, "-c", script, *heavy], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
