"""Documents become passages, passages a shelf, and a shelf answers with hits."""

DIMENSION = 384  # components of the built-in encoder's vectors


class ShelfError(Exception):
    """A shelf that cannot be built or opened: the message says what, where, and the cure."""
