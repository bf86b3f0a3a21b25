"""A question becomes a cited answer, a request a reading list; the faces only show them."""


class AnswerError(Exception):
    """A question that cannot be answered at all: the message says what, where, and the cure."""


class ServerError(Exception):
    """A chat server that cannot start, or cannot do what it is asked: the message says what, where, and the cure."""
