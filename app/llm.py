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
from app.breaker import Breaker
from app.endpoint import Endpoint, find, first
from app.habits import Habits
from app.thinking import Aloud

if TYPE_CHECKING:
    import tenacity

    import config

log = logging.getLogger("prepshelf.llm")

ATTEMPTS = 3
PATIENCE = 0.5  # of the time for an answer, that a model may be silent once it has begun
TOKENS = 1200  # of an answer
THINKING = 8000  # of an answer and the thinking before it, where a model thinks
UNFIT = 4  # models of a list that are tried, where no setting names one
TICK = 1.0  # seconds at which who waits is given the chance to leave
LOADING = 1.0  # seconds between questions to a server that loads its model

LIBRARY = "llama_index.llms.openai_like"

Say = str | ModelError | None  # a piece of text, or how it ended


class Model:
    """One model on one server."""

    def __init__(self, endpoint: Endpoint, *, seconds: float = 90.0, follow_up: float = 2.0, window: int = 0) -> None:
        """`seconds` is what an answer may take in all, `follow_up` what putting a question in full may take."""
        self.endpoint = endpoint
        self.seconds = seconds
        self.follow_up = follow_up
        self.breaker = Breaker()
        self.name = endpoint.model
        self.habits = Habits()  # what it takes of a request,
        self.thinks = False  # whether it needs room to think,
        self.window = window  # and the tokens that it can read and write, 0 until it tells
        self.late = False  # whether it was too slow for a follow-up
        self.unfit: set[str] = set()  # models of its list that were found to write no text

    def __repr__(self) -> str:
        """Show the model without its key."""
        return f"Model({self.endpoint!s})"

    def pick(self) -> str:
        """Return the model's name; where no setting gives it, that of the first that its server lists.

        Raises ModelError where it lists none.
        """
        if not self.name:
            found = first(self.endpoint.url, key=self.endpoint.key, without=self.unfit)
            self.name, self.window = found.name, self.window or found.window
        return self.name

    def write(
        self, rules: str, request: str, *, longest: int, tokens: int = TOKENS, within: float = 0.0
    ) -> Iterator[str]:
        """Yield what the model writes, piece by piece, until it is complete; "" is a sign of life without text.

        It raises ModelError where the model cannot be had, falls silent for half of the time once it has begun, takes
        longer than `within` seconds or the model's own limit, or writes more than `longest` characters. What was
        yielded before that is partial. Closing the iterator stops the request.
        """
        seconds = min(within or self.seconds, self.seconds)
        self.breaker.enter(self.endpoint.place)
        importlib.import_module(LIBRARY)  # the 3 s that this takes are not the server's
        call = _Call(self, rules, request, tokens, seconds)
        call.start()
        try:
            yield from _in_time(call, seconds, longest)
        except ModelError as error:
            # One that is too slow for a moment's question may well be had for an answer.
            error.healthy |= bool(within) and error.late
            self.breaker.worked() if error.healthy else self.breaker.failed(lasting=error.lasting)
            log.log(logging.ERROR if error.lasting else logging.WARNING, "The language model failed: %s.", error)
            raise
        else:
            self.breaker.worked()
        finally:
            call.stopped.set()


@lru_cache(maxsize=8)
def _model(endpoint: Endpoint, seconds: float, follow_up: float, window: int) -> Model:
    return Model(endpoint, seconds=seconds, follow_up=follow_up, window=window)


def connect(settings: config.Settings) -> Model | None:
    """Return the model that the settings name or this machine runs, None where there is none.

    It is the same one for the same endpoint, so that all conversations know when it rests. Nothing is sent but, where
    no setting names a model, a question to the Ollama port of this machine. Raises AnswerError as `endpoint.find`, and
    where a model in a file cannot be run.
    """
    endpoint = find(settings)
    if not endpoint:
        return None
    if endpoint.file:
        from app import local

        window = settings.llm_context or local.WINDOW
        return _model(local.served(endpoint, window), settings.llm_seconds, settings.llm_follow_up, window)
    return _model(endpoint, settings.llm_seconds, settings.llm_follow_up, settings.llm_context)


def _in_time(call: _Call, seconds: float, longest: int) -> Iterator[str]:
    host, begun, written = call.model.endpoint.place, time.monotonic(), 0
    heard, end = begun, begun + seconds
    how = "PREPSHELF_LLM_SECONDS sets how long it may take"
    while True:
        # Before it begins a server may load its model, read the passages and think, and show no sign of it.
        silent = heard + seconds * PATIENCE if written else end
        try:
            said = call.said.get(timeout=max(0.0, min(TICK, end - time.monotonic(), silent - time.monotonic())))
        except queue.Empty:
            if time.monotonic() >= end:
                raise ModelError(f"{host} took longer than {seconds:.0f} s; {how}", late=True) from None
            if time.monotonic() >= silent:
                raise ModelError(f"{host} said nothing for {seconds * PATIENCE:.0f} s; {how}", late=True) from None
            yield ""
            continue
        heard = time.monotonic()
        if said is None:
            return
        if isinstance(said, ModelError):
            raise said
        yield said[: longest - written]
        written += len(said)
        if written > longest:
            raise ModelError(f"{host} wrote on and on", healthy=True)
        if time.monotonic() >= end:
            raise ModelError(f"{host} took longer than {seconds:.0f} s; {how}", late=True)


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
        """Return the first words and the rest; a server that fails before them is asked again, at most twice."""
        import tenacity

        out_of_time = tenacity.stop_before_delay(self._seconds)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, ModelError) and error.again),
            # A Retry-After that reaches beyond the time is no reason to wait at all.
            stop=lambda state: out_of_time(state) or _enough(state),
            wait=_pause,
            sleep=tenacity.sleep_using_event(self.stopped),
            reraise=True,
        )
        return retrying(self._begin)

    def _begin(self) -> tuple[str, Iterator[str]]:
        """Return the first words and the rest, asked for in as many ways as the server makes necessary."""
        model, habits, first = self.model, self.model.habits, None
        tokens: int | None = max(self._tokens, THINKING) if model.thinks else self._tokens
        while not self.stopped.is_set():
            pieces = self._pieces(habits, tokens)
            try:
                said = self._first(pieces)
            except ModelError as error:
                first = first or error
                error.loading |= bool(model.endpoint.file) and error.unreached  # it has just been started
                if error.cut and tokens and tokens < THINKING:
                    tokens = THINKING  # they went into thinking
                elif error.overflow and tokens and tokens > self._tokens:
                    tokens = None
                elif error.picky and (other := habits.learnt(error)):
                    habits = other
                elif error.unfit and self._another():
                    habits = model.habits
                else:
                    raise (first if error.picky else error) from None
                continue
            # What helped is kept, and nothing else: a server rejects requests for other reasons, too.
            model.habits, model.thinks = habits, tokens != self._tokens
            return said, pieces
        raise ModelError("stopped")

    def _first(self, pieces: Iterator[str]) -> str:
        """Return the first words; what comes before them goes on as signs of life."""
        for piece in pieces:
            if piece.strip():
                return piece
            self._put("")
        raise ModelError(f"{self.model.endpoint.place} answered with nothing", again=True)

    def _another(self) -> bool:
        """Go on to the next model of the list, where no setting names one; return whether there is one to try."""
        model = self.model
        if not model.endpoint.picked or len(model.unfit) >= UNFIT:
            return False
        model.unfit.add(model.name)
        before, model.name = model.name, ""
        try:
            model.pick()
        except ModelError:
            model.name = before
        return model.name != before

    def _pieces(self, habits: Habits, tokens: int | None) -> Iterator[str]:
        import httpx2
        from llama_index.core.base.llms.types import ChatMessage
        from llama_index.llms.openai_like import OpenAILike

        from app.wire import Wire

        endpoint = self.model.endpoint
        name = self.model.pick()
        wire = Wire(key=endpoint.key, stopped=self.stopped, version=endpoint.version, habits=habits)
        with httpx2.Client(transport=wire, trust_env=False, follow_redirects=False, timeout=self._seconds) as client:
            model = OpenAILike(
                model=name,
                api_base=endpoint.url,
                api_key="on-the-wire",  # the wire adds the real one
                is_chat_model=True,
                max_retries=0,
                timeout=self._seconds,
                http_client=client,
                max_tokens=tokens,
                temperature=0.0,
            )
            messages = [
                ChatMessage(role="system", content=self._rules),
                ChatMessage(role="user", content=self._request),
            ]
            aloud = Aloud()
            try:
                for chunk in model.stream_chat(messages):
                    yield aloud.feed(chunk.delta or "")
                yield aloud.end()
            except Exception as error:
                raise wire.fault or error from None


def _enough(state: tenacity.RetryCallState) -> bool:
    """Return whether a server was asked often enough; one that loads its model is asked while there is time."""
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= ATTEMPTS and not (isinstance(error, ModelError) and error.loading)


def _pause(state: tenacity.RetryCallState) -> float:
    """Return the seconds to wait before the next attempt: what the server asked for, else a growing, jittered time."""
    import tenacity

    error = state.outcome.exception() if state.outcome else None
    jittered = tenacity.wait_random_exponential(multiplier=0.4, max=4)(state)
    if isinstance(error, ModelError) and error.loading:
        return max(LOADING, error.after)
    return error.after + 0.1 * jittered if isinstance(error, ModelError) and error.after else jittered
