"""The Chainlit face: event handlers only. Chainlit runs this file as a script."""

from __future__ import annotations

import chainlit as cl

import config
from app import AnswerError, render
from app.answer import Answer, Citation
from app.assistant import Assistant, Turn

STARTERS = (
    ("Ring-allreduce", "How does ring-allreduce work?"),
    ("Feature stores", "What is a feature store and when is it unnecessary?"),
    ("Canary or blue/green", "What is the difference between blue/green and canary deployment?"),
    ("Pods", "What is a Pod in Kubernetes?"),
)


@cl.set_starters
async def starters() -> list[cl.Starter]:
    """Return questions to begin with."""
    return [cl.Starter(label=label, message=question) for label, question in STARTERS]


@cl.on_chat_start
async def begin() -> None:
    """Open the shelf for this conversation."""
    settings = config.read()
    cl.user_session.set(
        "assistant", await cl.make_async(Assistant.open)(settings.data, encoder_folder=settings.encoder)
    )
    cl.user_session.set("history", [])
    cl.user_session.set("cited", 0)


@cl.on_message
async def answer(message: cl.Message) -> None:
    """Answer a question, streamed, each citation opening its passage at the side."""
    assistant: Assistant = cl.user_session.get("assistant")
    history: list[Turn] = cl.user_session.get("history")
    try:
        async with cl.Step(name="Searching the shelf", type="retrieval"):
            said = await cl.make_async(assistant.ask)(message.content, history=history)
    except AnswerError as error:
        await cl.Message(content=str(error)).send()
        return
    before: int = cl.user_session.get("cited")
    reply = cl.Message(content="", elements=[_panel(citation, before) for citation in said.citations])
    for token in render.stream(said, before):
        await reply.stream_token(token)
    await reply.send()
    cl.user_session.set("cited", before + len(said.citations))
    cl.user_session.set("history", [*history, Turn("user", message.content), Turn("assistant", _said(said))])


def _panel(citation: Citation, before: int) -> cl.Text:
    # Chainlit finds elements by name in the text, across the whole thread: every number is used once.
    return cl.Text(name=f"[{before + citation.n}]", content=render.panel(citation), display="side")


def _said(said: Answer) -> str:
    return said.text
