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
        late: bool = False,
        unfit: bool = False,
        cut: bool = False,
        rejected: str = "",
        overflow: bool = False,
        window: int = 0,
        loading: bool = False,
        unreached: bool = False,
    ) -> None:
        super().__init__(message)
        self.again = again  # another attempt may go well,
        self.after = after  # in so many seconds, where the server named them
        self.lasting = lasting  # only a person can mend it: a wrong key, address or model
        self.healthy = healthy  # the server did as it should, and only this question cannot be had from it
        self.picky = picky  # the server may take the request in another form
        self.rejected = rejected  # the part of the request that it names as wrong, "" where it names none
        self.unfit = unfit  # it may be a model that writes no text
        self.unreached = unreached  # nothing listens there
        self.loading = loading  # the server still loads the model
        self.late = late  # it took longer than it was given
        self.cut = cut  # it reached the number of tokens that it may write
        self.overflow = overflow  # the request is longer than the model can read,
        self.window = window  # which is so many tokens, 0 where it does not say


class ServerError(Exception):
    """A chat server that cannot start, or cannot do what it is asked: the message says what, where, and the cure."""
