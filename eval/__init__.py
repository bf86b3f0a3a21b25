"""Does it find, and say, the right things? Numbers, each printed by a command."""


class EvalError(Exception):
    """A measurement that cannot be made: the message says what, where, and the cure."""
