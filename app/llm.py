"""Model: a language model behind any OpenAI-compatible endpoint, asked so that nothing it does can hurt the asker.

llama-index makes the request and reads the stream, over a wire of our own (app/wire.py). It runs in a thread, because
neither it nor the client below it has a deadline for the whole: who asks waits at a queue, and never longer than said.
"""

from __future__ import annotations

import importlib
import logging
import queue
import threading
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from app import ModelError
from app.endpoint import Endpoint, find, first_model

if TYPE_CHECKING:
    import tenacity

    import config

log = logging.getLogger("prepshelf.llm")

ATTEMPTS = 3
PATIENCE = 0.5  # of the time for an answer, that a model may be silent
TOKENS = 1200  # of an answer
FAILURES = 3  # in a row, after which a model is left to rest
REST = 30.0  # seconds

LIBRARY = "llama_index.llms.openai_like"

Say = str | ModelError | None  # a piece of text, or how it ended


class Breaker:
    """Lets a server that fails rest, so that nobody waits for it; after each rest one question tries it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def enter(self, host: str) -> None:
        """Let a question through, or raise ModelError."""
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                raise ModelError(f"{host} failed just now and is not asked again for {self._until - now:.0f} s")
            if self._failures >= FAILURES:
                self._until = now + REST  # this question tries; the others go on waiting

    def worked(self) -> None:
        """Note that an answer came whole."""
        with self._lock:
            self._failures, self._until = 0, 0.0

    def failed(self, *, lasting: bool) -> None:
        """Note a failure; one that only a person can mend counts for all."""
        with self._lock:
            self._failures = FAILURES if lasting else self._failures + 1
            if self._failures >= FAILURES:
                self._until = time.monotonic() + REST


class Model:
    """One model on one server."""

    def __init__(self, endpoint: Endpoint, *, seconds: float = 45.0) -> None:
        self.endpoint = endpoint
        self.seconds = seconds  # that an answer may take in all
        self.breaker = Breaker()
        self.plain = False  # whether the server has rejected the optional parts of a request
        self.name = endpoint.model

    def __repr__(self) -> str:
        """Show the model without its key."""
        return f"Model({self.endpoint!s})"

    def write(
        self, rules: str, request: str, *, longest: int, tokens: int = TOKENS, within: float = 0.0
    ) -> Iterator[str]:
        """Yield what the model writes, piece by piece, until it is complete; "" is a sign of life without text.

        It raises ModelError where the model cannot be had, falls silent for half of the time, takes longer than
        `within` seconds or the model's own limit, or writes more than `longest` characters. What was yielded before
        that is partial. Closing the iterator stops the request.
        """
        seconds = min(within or self.seconds, self.seconds)
        self.breaker.enter(self.endpoint.place)
        importlib.import_module(LIBRARY)  # the 3 s that this takes are not the server's
        call = _Call(self, rules, request, tokens, seconds)
        call.start()
        try:
            yield from _in_time(call, seconds, longest)
        except ModelError as error:
            self.breaker.worked() if error.healthy else self.breaker.failed(lasting=error.lasting)
            log.log(logging.ERROR if error.lasting else logging.WARNING, "The language model failed: %s.", error)
            raise
        else:
            self.breaker.worked()
        finally:
            call.stopped.set()


@lru_cache(maxsize=8)
def _model(endpoint: Endpoint, seconds: float) -> Model:
    return Model(endpoint, seconds=seconds)


def connect(settings: config.Settings) -> Model | None:
    """Return the model that the settings name or this machine runs, None where there is none.

    It is the same one for the same endpoint, so that all conversations know when it rests. Nothing is sent but, where
    no setting names a model, a question to the Ollama port of this machine. Raises AnswerError as `endpoint.find`.
    """
    endpoint = find(settings)
    return _model(endpoint, settings.llm_seconds) if endpoint else None


def _in_time(call: _Call, seconds: float, longest: int) -> Iterator[str]:
    host, end, written = call.model.endpoint.place, time.monotonic() + seconds, 0
    while True:
        patience = min(seconds * PATIENCE, end - time.monotonic())
        try:
            said = call.said.get(timeout=max(0.0, patience))
        except queue.Empty:
            late = time.monotonic() >= end
            what = f"took longer than {seconds:.0f} s" if late else f"said nothing for {seconds * PATIENCE:.0f} s"
            raise ModelError(f"{host} {what}; PREPSHELF_LLM_SECONDS sets how long it may take") from None
        if said is None:
            return
        if isinstance(said, ModelError):
            raise said
        yield said[: longest - written]
        written += len(said)
        if written > longest:
            raise ModelError(f"{host} wrote on and on", healthy=True)
        if time.monotonic() >= end:
            raise ModelError(
                f"{host} took longer than {seconds:.0f} s; PREPSHELF_LLM_SECONDS sets how long it may take"
            )


class _Call(threading.Thread):
    """One question to the server, with its retries; what comes of it goes to `said`."""

    def __init__(self, model: Model, rules: str, request: str, tokens: int, seconds: float) -> None:
        super().__init__(name="prepshelf-llm", daemon=True)
        self.model = model
        self.said: queue.Queue[Say] = queue.Queue(maxsize=256)
        self.stopped = threading.Event()
        self._rules, self._request, self._tokens, self._seconds = rules, request, tokens, seconds

    def run(self) -> None:
        try:
            first, rest = self._patiently()
            self._put(first)
            for piece in rest:
                self._put(piece)
            self._put(None)
        except ModelError as error:
            self._put(error)
        except Exception as error:  # whatever a library lets escape must not end a thread unheard
            self._put(ModelError(f"{self.model.endpoint.place} could not be asked ({type(error).__name__})"))

    def _put(self, said: Say) -> None:
        while not self.stopped.is_set():
            try:
                self.said.put(said, timeout=0.2)
                return
            except queue.Full:
                continue
        if isinstance(said, str):
            raise ModelError("stopped")

    def _patiently(self) -> tuple[str, Iterator[str]]:
        """Return the first piece and the rest; a server that fails before the first is asked again, at most twice."""
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, ModelError) and error.again),
            # A Retry-After that reaches beyond the time is no reason to wait at all.
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(self._seconds * PATIENCE),
            wait=_pause,
            sleep=tenacity.sleep_using_event(self.stopped),
            reraise=True,
        )
        return retrying(self._begin)

    def _begin(self) -> tuple[str, Iterator[str]]:
        if self.stopped.is_set():
            raise ModelError("stopped")
        pieces = self._pieces()
        try:
            return next(pieces), pieces
        except StopIteration:
            raise ModelError(f"{self.model.endpoint.place} answered with nothing", again=True) from None
        except ModelError as error:
            if error.picky and not self.model.plain:
                self.model.plain = error.again = True  # newer hosted models reject a temperature
            raise

    def _pieces(self) -> Iterator[str]:
        import httpx2
        from llama_index.core.base.llms.types import ChatMessage
        from llama_index.llms.openai_like import OpenAILike

        from app.wire import Wire

        endpoint = self.model.endpoint
        if not self.model.name:
            self.model.name = first_model(endpoint.url, key=endpoint.key)
        wire = Wire(key=endpoint.key, stopped=self.stopped)
        with httpx2.Client(
            transport=wire, trust_env=False, follow_redirects=False, timeout=self._seconds * PATIENCE
        ) as client:
            model = OpenAILike(
                model=self.model.name,
                api_base=endpoint.url,
                api_key="on-the-wire",  # the wire adds the real one
                is_chat_model=True,
                max_retries=0,
                timeout=self._seconds * PATIENCE,
                http_client=client,
                max_tokens=None if self.model.plain else self._tokens,
                temperature=1.0 if self.model.plain else 0.0,
            )
            messages = [
                ChatMessage(role="system", content=self._rules),
                ChatMessage(role="user", content=self._request),
            ]
            try:
                for chunk in model.stream_chat(messages):
                    yield chunk.delta or ""
            except Exception as error:
                raise wire.fault or error from None


def _pause(state: tenacity.RetryCallState) -> float:
    """Return the seconds to wait before the next attempt: what the server asked for, else a growing, jittered time."""
    import tenacity

    error = state.outcome.exception() if state.outcome else None
    jittered = tenacity.wait_random_exponential(multiplier=0.4, max=4)(state)
    return error.after + 0.1 * jittered if isinstance(error, ModelError) and error.after else jittered
