"""A question becomes a cited answer, a request a reading list; the faces only show them."""


class AnswerError(Exception):
    """A question that cannot be answered at all: the message says what, where, and the cure."""


class ModelError(AnswerError):
    """A language model that cannot be had or broke off: the message says how, and holds no word of what it sent."""

    def __init__(
        self,
        message: str,
        *,
        again: bool = False,
        after: float = 0.0,
        lasting: bool = False,
        picky: bool = False,
        healthy: bool = False,
    ) -> None:
        super().__init__(message)
        self.again = again  # another attempt may go well,
        self.after = after  # in so many seconds, where the server named them
        self.lasting = lasting  # only a person can mend it: a wrong key, address or model
        self.healthy = healthy  # the server did as it should, and only an answer grew too long
        self.picky = picky  # the server may take the request without its optional parts


class ServerError(Exception):
    """A chat server that cannot start, or cannot do what it is asked: the message says what, where, and the cure."""
