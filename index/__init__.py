"""Documents become passages, passages a shelf, and a shelf answers with hits."""


class ShelfError(Exception):
    """A shelf that cannot be built or opened: the message says what, where, and the cure."""
