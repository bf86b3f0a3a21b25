"""Language models are used as their providers serve them: each row is from the documentation or the code of one."""

from __future__ import annotations

import importlib
import time

import pytest
from scripted_llm import DONE, HEAD, chunk, event, listing, rejection, said, serving, status

from app import ModelError, endpoint, llm
from app.endpoint import Endpoint
from app.habits import Habits
from app.llm import Model

KEY = "sk-very-secret-1234"


@pytest.fixture(scope="module", autouse=True)
def imported():
    """The library is there before anything is timed."""
    importlib.import_module(llm.LIBRARY)


def a_model(url: str, *, seconds: float = 60.0, name: str = "m", **more: str) -> Model:
    return Model(Endpoint(url, name, KEY, "a test", **more), seconds=seconds)


def written(model: Model, *, longest: int = 6000) -> tuple[str, str]:
    """What a model wrote, and how it failed."""
    text = ""
    try:
        for piece in model.write("rules", "request", longest=longest):
            text += piece
    except ModelError as error:
        return text, str(error)
    return text, ""


# --- streams --------------------------------------------------------------------------------------

USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}\n\n'
SILENT_PARTS = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
STREAMS = {
    "OpenAI": ([event({"role": "assistant", "content": ""}), chunk("Rings."), event({}, "stop"), USAGE, DONE], ""),
    "OpenAI, which refuses": ([event({"refusal": "I can't."}), event({}, "stop"), DONE], "withheld"),
    "Azure": ([b'data: {"choices":[],"prompt_filter_results":[]}\n\n', chunk("Rings."), event({}, "stop"), DONE], ""),
    "Azure, which filters": ([event({}, "content_filter"), DONE], "withheld"),
    "Anthropic": ([chunk("Rings."), event({}, "end_turn"), DONE], ""),
    "Gemini": ([event({"content": "Rings."}, "STOP"), DONE], ""),
    "Gemini, which filters": ([event({}, "SAFETY"), DONE], "withheld"),
    "OpenRouter": ([b": OPENROUTER PROCESSING\n\n"] * 3 + [chunk("Rings."), event({}, "stop"), DONE], ""),
    "OpenRouter, which fails": ([chunk("Rings."), event({"content": ""}, "error", error={"code": 502}), DONE], "error"),
    "Mistral": ([event({"content": SILENT_PARTS}), event({"content": [{"type": "text", "text": "Rings."}]}, "stop")], ""),
    "llama.cpp": ([event({"role": "assistant", "content": None}), chunk("Rings."), event({}, "stop"), USAGE, DONE], ""),
    "TGI": ([event({"content": "Rings."}, "eos_token"), DONE], ""),
    "vLLM": ([event({"reasoning_content": "Hm."}), event({"reasoning": "Hm."}), chunk("Rings."), event({}, "stop")], ""),
    "Ollama": ([chunk("<thi"), chunk("nk>Hm. <answer>No.</"), chunk("think>Rings."), event({}, "stop"), DONE], ""),
    "cut in thinking": ([chunk("<think>Hm."), event({}, "length"), DONE], "reached the length"),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_streams_are_read_as_their_providers_write_them(name):
    stream, fault = STREAMS[name]
    with serving(lambda path, request: iter([HEAD, *stream])) as server:
        text, told = written(a_model(server.url))
        assert fault in told and bool(fault) == bool(told)
        assert text == ("Rings." if not fault or fault == "error" else "")
        assert len(server.requests) == (2 if fault == "reached the length" else 1)


def test_thinking_counts_neither_as_silence_nor_as_text():
    def thinks(path, request):
        yield HEAD
        for piece in (b": keep-alive\n\n", event({"content": ""}), event({"reasoning": "Hm."}), chunk("<think>")):
            time.sleep(0.9)
            yield piece
        for _ in range(50):
            yield chunk("Hm, let me see. " * 10)
        yield chunk("</think>Rings.")
        yield event({}, "stop")

    with serving(thinks) as server:
        assert written(a_model(server.url, seconds=20), longest=100) == ("Rings.", "")


def test_a_model_may_be_silent_before_it_begins_for_as_long_as_an_answer_may_take():
    def hidden(path, request):
        time.sleep(3)
        yield from said("Rings.")

    with serving(hidden) as server:
        assert written(a_model(server.url, seconds=5)) == ("Rings.", "")


def test_a_model_that_thinks_is_given_room_for_it_which_is_remembered():
    def thinks(path, request):
        if request["max_tokens"] < llm.THINKING:
            return iter([HEAD, event({"reasoning_content": "Hm."}), event({}, "length"), DONE])
        return said("Rings.")

    with serving(thinks) as server:
        model = a_model(server.url)
        assert written(model) == written(model) == ("Rings.", "")
        assert len(server.requests) == 3


def test_a_server_that_loads_its_model_is_waited_for(monkeypatch):
    monkeypatch.setattr(llm, "LOADING", 0.1)
    loading = rejection("503 X", {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}})
    answers = iter([[loading]] * 5)
    with serving(lambda path, request: next(answers, None) or said("Rings.")) as server:
        assert written(a_model(server.url)) == ("Rings.", "")
        assert len(server.requests) == 6


# --- rejections -----------------------------------------------------------------------------------


def unknown(param: str, message: str) -> dict:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": "unsupported"}}


def has_system(request) -> bool:
    return any(message["role"] == "system" for message in request["messages"])


OPENAI_TOKENS = unknown(
    "max_tokens", "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
)
OPENAI_WARMTH = unknown("temperature", "Unsupported value: 'temperature' does not support 0.0 with this model.")
O1_MINI = unknown(
    "messages[0].role", "Unsupported value: 'messages[0].role' does not support 'system' with this model."
)
GEMMA = [{"error": {"code": 400, "message": "Developer instruction is not enabled for models/gemma", "status": "X"}}]
JINJA = {"error": {"code": 500, "message": "Jinja Exception: System role not supported", "type": "server_error"}}
FASTAPI = {"detail": [{"loc": ["body", "temperature"], "msg": "extra fields not permitted", "type": "value_error"}]}
REJECTIONS = {
    "OpenAI's limit": ([(lambda r: "max_tokens" in r, "400 X", OPENAI_TOKENS)], Habits("max_completion_tokens")),
    "OpenAI's reasoning models": (
        [(lambda r: "max_tokens" in r, "400 X", OPENAI_TOKENS), (lambda r: "temperature" in r, "400 X", OPENAI_WARMTH)],
        Habits("max_completion_tokens", temperature=False),
    ),
    "o1-mini": ([(has_system, "400 X", O1_MINI)], Habits(system=False)),
    "Gemma at Google": ([(has_system, "400 X", GEMMA)], Habits(system=False)),
    "Gemma at llama.cpp": ([(has_system, "500 X", JINJA)], Habits(system=False)),
    "a strict server": ([(lambda r: "temperature" in r, "422 X", FASTAPI)], Habits(temperature=False)),
    "one that gives no reason": ([(lambda r: "max_tokens" in r, "400 X", {})], Habits("", temperature=False)),
    "one that takes nothing": (
        [(lambda r: "max_tokens" in r or has_system(r), "400 X", "no")],
        Habits("", temperature=False, system=False),
    ),
}


@pytest.mark.parametrize("name", REJECTIONS)
def test_what_a_server_rejects_is_left_out_and_that_is_remembered(name):
    rules, habits = REJECTIONS[name]

    def picky(path, request):
        for rejects, line, body in rules:
            if rejects(request):
                return iter([rejection(line, body)])
        return said("Rings.")

    with serving(picky) as server:
        model = a_model(server.url)
        assert written(model) == ("Rings.", "")
        assert model.habits == habits
        asked = len(server.requests)
        assert written(model) == ("Rings.", "")
        assert len(server.requests) == asked + 1
        assert "rules" in server.requests[-1][2]["messages"][0]["content"]


def test_a_request_that_is_rejected_in_every_form_changes_nothing_for_the_next():
    well = False
    with serving(
        lambda path, request: said("Rings.") if well else iter([rejection("400 X", {"error": "sk-1"})])
    ) as server:
        model = a_model(server.url)
        text, told = written(model)
        assert (text, "rejected the request" in told, "sk-1" in told) == ("", True, False)
        assert model.habits == Habits()
        well = True
        assert written(model) == ("Rings.", ""), "it is not left to rest: only this request was wrong"


OVERFLOWS = {
    "llama.cpp": ("400 X", {"error": {"message": "request (4031 tokens) exceeds the available context size (2048 tokens), try increasing it",
                                      "type": "exceed_context_size_error", "n_prompt_tokens": 4031, "n_ctx": 2048}}, 2048),
    "OpenAI": ("400 X", {"error": {"message": "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
                                   "code": "context_length_exceeded", "param": "messages"}}, 8192),
    "vLLM": ("400 X", {"object": "error", "message": "'max_tokens' or 'max_completion_tokens' is too large: 1200. This model's maximum context"
                       " length is 2048 tokens and your request has 1559 input tokens (1200 > 2048 - 1559).", "code": 400}, 2048),
    "Anthropic": ("400 X", {"error": {"type": "invalid_request_error", "message": "prompt is too long: 220000 tokens > 200000 maximum"}}, 200000),
    "Gemini": ("400 X", [{"error": {"message": "The input token count (1500000) exceeds the maximum number of tokens allowed (1048576)."}}], 1048576),
    "LM Studio": ("400 X", {"error": "Trying to keep the first 4500 tokens when context the overflows. However, the model is loaded with context"
                            " length of only 4096 tokens"}, 4096),
    "Groq": ("413 X", {"error": {"message": "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7000"}}, 6000),
    "one that gives no reason": ("413 X", {}, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", OVERFLOWS)
def test_a_context_that_overflows_is_told_with_its_size_and_is_no_fault_of_the_server(name):
    line, body, window = OVERFLOWS[name]
    with serving(lambda path, request: iter([rejection(line, body)])) as server:
        model = a_model(server.url)
        for _ in range(4):
            with pytest.raises(ModelError, match="longer than the context") as caught:
                list(model.write("rules", "request", longest=6000))
            assert (caught.value.overflow, caught.value.window) == (True, window)
        assert (model.habits, len(server.requests)) == (Habits(), 4)


def test_a_question_that_a_filter_refuses_is_told_as_such_and_asked_once():
    body = {"error": {"code": "content_filter", "message": "... triggering Azure OpenAI's content management policy"}}
    with serving(lambda path, request: iter([rejection("400 X", body)])) as server:
        assert "content filter" in written(a_model(server.url))[1]
        assert len(server.requests) == 1


# --- lists and addresses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "picked"),
    [
        (["all-minilm", "bge-m3", "nomic-embed-text", "llama3.2"], "llama3.2"),
        (["dall-e-2", "whisper-1", "tts-1-hd", "gpt-4o-audio-preview", "text-moderation", "gpt-4.1"], "gpt-4.1"),
        (["BAAI/bge-reranker-v2-m3", "intfloat/e5-large", "Qwen/Qwen3-8B"], "Qwen/Qwen3-8B"),
        (["/models/image-team/qwen.gguf"], "/models/image-team/qwen.gguf"),
        ([{"id": "a", "type": "embeddings"}, {"id": "b", "type": "llm"}], "b"),
        ([{"id": "a", "capabilities": {"completion_chat": False}}, {"id": "b", "capabilities": ["completion"]}], "b"),
        ([{"id": "a", "architecture": {"output_modalities": ["image"]}}, {"id": "b"}], "b"),
        ([*({"id": f"flux-{n}", "description": "x" * 2000} for n in range(600)), "b"], "b"),
    ],
)
def test_the_model_that_is_picked_from_a_list_writes_text(listed, picked):
    with serving(lambda path, request: iter([listing(*listed)])) as server:
        assert endpoint.first_model(server.url, seconds=60) == picked


@pytest.mark.parametrize("line", ["400 X", "404 X", "501 X"])
def test_a_picked_model_that_writes_no_text_gives_way_to_the_next(line):
    def script(path, request):
        if path == "/v1/models":
            return iter([listing("strange", "stranger", "qwen3")])
        return said("Rings.") if request["model"] == "qwen3" else iter([status(line)])

    with serving(script) as server:
        model = a_model(server.url, name="")
        assert written(model) == ("Rings.", "")
        assert (model.name, model.habits) == ("qwen3", Habits())


@pytest.mark.parametrize(
    "row", [{"max_model_len": 2048}, {"context_window": 2048}, {"context_length": 2048}, {"meta": {"n_ctx": 2048}}]
)
def test_a_list_that_says_how_much_a_model_can_read_is_heard(row):
    with serving(lambda path, request: iter([listing({"id": "m", **row})])) as server:
        model = a_model(server.url, name="")
        assert (model.pick(), model.window) == ("m", 2048)


def test_a_model_that_a_person_named_gives_way_to_none():
    with serving(lambda path, request: iter([status("404 X")])) as server:
        assert "404" in written(a_model(server.url))[1]
        assert [path for path, *_ in server.requests] == ["/v1/chat/completions"]


def test_azure_is_told_its_version_and_shown_its_key():
    with serving(lambda path, request: said("Rings.")) as server:
        url = f"{server.url.removesuffix('/v1')}/openai/deployments/gpt"
        assert written(a_model(url, version="2024-10-21")) == ("Rings.", "")
        ((path, headers, _),) = server.requests
    assert path == "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert headers["api-key"] == KEY
