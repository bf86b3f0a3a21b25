"""Logs: one JSON object a line, without questions, answers or secrets unless somebody asks for them."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from app import AnswerError, ServerError
from index import ShelfError
from ingest import IngestError

_OURS = (AnswerError, ServerError, ShelfError, IngestError)
"""Errors whose message we wrote; another library's may hold what somebody asked, or a password in an address."""


class JsonLines(logging.Formatter):
    """Formats a record as JSON; of a foreign error its kind and place, not its message."""

    def __init__(self, *, questions: bool = False) -> None:
        super().__init__()
        self._questions = questions

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": record.getMessage() if record.name.startswith("prepshelf") else self._foreign(record),
            **getattr(record, "facts", {}),
        }
        if self._questions and (question := getattr(record, "question", "")):
            line["question"] = question
        if record.exc_info and record.exc_info[1]:
            line["error"] = self._error(record.exc_info[1])
            line["place"] = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(record.exc_info[2])[-4:]]
        return json.dumps(line, ensure_ascii=False)

    def _foreign(self, record: logging.LogRecord) -> str:
        """Return the unfilled pattern of a library's message, what it was filled with only where that is asked for."""
        if self._questions or not record.exc_info:
            return record.getMessage() if self._questions else str(record.msg)[:200]
        return "error"

    def _error(self, error: BaseException) -> str:
        kind = type(error).__name__
        return f"{kind}: {error}" if self._questions or isinstance(error, _OURS) else kind


def set_up(*, questions: bool = False) -> None:
    """Send all logs of this process to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(questions=questions))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("prepshelf").setLevel(logging.INFO)
    hush()


def hush() -> None:
    """Keep libraries from talking about what is as it should be."""
    for name in ("chainlit", "socketio", "engineio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.ERROR)
