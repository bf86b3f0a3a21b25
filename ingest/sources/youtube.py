"""YouTube: videos with their transcripts, and the videos of playlists and channels.

youtube-transcript-api asks YouTube three things: the page of the video, the player's data, the captions. It asks them
through our own door, and once more, in a child process, of the three recorded answers: the second time is what counts,
so a transcript from the archive is read as one from the network.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ingest.address import host_of, is_under, split
from ingest.message import Ask, FetchError, Get, Response
from ingest.sources import embedded
from ingest.status import Status, Verdict
from ingest.transcript import Spoken, chapters_of, pieces_of

if TYPE_CHECKING:
    from requests import PreparedRequest, Session
    from youtube_transcript_api import FetchedTranscript

    from ingest.extract import Extract

NAME = "youtube"
KEEPS = 30  # days: what was said in a video stays said
PAGES = 20

MAX_CAPTIONS = 8 * 2**20  # bytes
_HOSTS = {"youtu.be", "youtube.com", "youtube-nocookie.com"}
_ID = re.compile(r"[\w-]{11}")
_MAY_PASS = (
    "YouTube refuses programs from here",
    "YouTube shows a consent page",
    "you tube",  # its answer in a shape that the client does not know, or an error
    "YouTube's answer cannot be read",
)
_LANGUAGES = ("en", "en-US", "en-GB", "en-CA", "en-AU", "en-IN")


def fits(url: str) -> bool:
    """Return whether an address is that of a video, a playlist or a channel."""
    return bool(video_id(url) or list_address(url))


def gather(url: str, get: Get) -> list[Response]:
    """Return the page, then the player's data and the captions where there are any."""
    if not video_id(url):
        return [get(Ask(list_address(url)))]
    parts: list[Response] = []

    def recorded(ask: Ask) -> Response:
        parts.append(get(ask))
        return parts[-1]

    _transcript(video_id(url), recorded)
    return parts


def read(parts: Sequence[Response]) -> Extract:
    """Return a transcript with its chapters, what is known of a video without one, or the videos of a list."""
    if not (video := video_id(parts[0].url)):
        return _list(parts[0])
    by_key = {part.url: part for part in parts}

    def recorded(ask: Ask) -> Response:
        if ask.key not in by_key:
            raise FetchError("its captions were not fetched")
        return by_key[ask.key]

    return _video(video, parts, *_transcript(video, recorded))


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:  # noqa: ARG001
    """Return the videos of a list, each once."""
    return list(dict.fromkeys(watch_address(video) for link in links if (video := video_id(link))))


def is_there(url: str) -> bool:
    """Return whether an address is one of YouTube's."""
    return bool(is_under(host_of(url), _HOSTS))


def video_id(url: str) -> str:
    """Return the identifier in the address of a video; "" for any other address.

    >>> video_id("https://youtu.be/KJFOlhD3L1E?t=3"), video_id("https://www.youtube.com/@ByteByteGo")
    ('KJFOlhD3L1E', '')
    """
    parts, host = split(url), host_of(url)
    if not is_under(host, _HOSTS):
        return ""
    steps = parts.path.strip("/").split("/")
    if is_under(host, {"youtu.be"}):
        found = steps[0]
    elif steps[0] in {"shorts", "embed", "live", "v"} and len(steps) > 1:
        found = steps[1]
    else:
        found = next(iter(parse_qs(parts.query).get("v", [])), "") if steps[0] == "watch" else ""
    return found if _ID.fullmatch(found) else ""


def watch_address(video: str) -> str:
    """Return the address of a video's page."""
    return f"https://www.youtube.com/watch?v={video}"


def list_address(url: str) -> str:
    """Return the address that lists the videos of a playlist or channel; "" for any other address.

    >>> list_address("https://youtube.com/c/ByteByteGo")
    'https://www.youtube.com/c/ByteByteGo/videos'
    """
    parts = split(url)
    if not is_under(host_of(url), _HOSTS):
        return ""
    if parts.path == "/playlist" and (name := parse_qs(parts.query).get("list")):
        return f"https://www.youtube.com/playlist?list={name[0]}"
    found = re.match(r"/(?:(?:c|channel|user)/[\w%.-]+|@[\w%.-]+)", parts.path)
    return f"https://www.youtube.com{found.group(0)}/videos" if found else ""


# --- a video --------------------------------------------------------------------------------------


def _transcript(video: str, get: Get) -> tuple[FetchedTranscript | None, str]:
    """Return the transcript of a video, English where there is one; else None and the reason."""
    from youtube_transcript_api import CouldNotRetrieveTranscript, NoTranscriptFound, YouTubeTranscriptApi

    try:
        offered = YouTubeTranscriptApi(http_client=_session(get)).list(video)
        try:
            return offered.find_transcript(_LANGUAGES).fetch(), ""
        except NoTranscriptFound:
            return next(iter(offered)).fetch(), ""
    except CouldNotRetrieveTranscript as error:
        return None, _reason(error)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, SyntaxError, StopIteration) as error:
        return None, f"YouTube's answer cannot be read ({type(error).__name__})"


def _reason(error: Exception) -> str:
    """Return why there is no transcript, in a few words."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    known = {
        "transcripts disabled": "it has no subtitles",
        "video unavailable": "the video is gone",
        "age restricted": "YouTube shows it to adults who are logged in only",
        "request blocked": "YouTube refuses programs from here",
        "ip blocked": "YouTube refuses programs from here",
        "failed to create consent cookie": "YouTube shows a consent page",
        "po token required": "YouTube gives its subtitles to its own player only",
        "video unplayable": f"YouTube does not play it ({getattr(error, 'reason', '') or 'no reason given'})",
    }
    return known.get(words, words)


def _session(get: Get) -> Session:
    """Return what youtube-transcript-api takes for a web session: each request goes through `get`."""
    import requests
    from requests.adapters import BaseAdapter

    class Through(BaseAdapter):
        def send(self, request: PreparedRequest, *_: object, **__: object) -> requests.Response:
            body = request.body.encode() if isinstance(request.body, str) else request.body
            passed = ("Content-Type", "Cookie", "Accept-Language")
            headers = tuple((name, str(request.headers[name])) for name in passed if name in request.headers)
            # The player's data and the captions are interfaces: they stand in no page that a crawler would follow.
            interface = "/watch" not in (request.url or "")
            got = get(
                Ask(
                    request.url or "",
                    body=body if isinstance(body, bytes) else b"",
                    headers=headers,
                    interface=interface,
                    limit=MAX_CAPTIONS,
                )
            )
            answer = requests.Response()
            answer.status_code, answer.url, answer.request = got.status, got.url, request
            answer.headers["Content-Type"] = got.content_type
            answer.encoding = "utf-8"
            answer.raw = io.BytesIO(got.body)
            return answer

        def close(self) -> None:
            pass

    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.mount("https://", Through())
    session.mount("http://", Through())
    return session


def _video(video: str, parts: Sequence[Response], said: FetchedTranscript | None, reason: str) -> Extract:
    from ingest.extract import Extract

    details = _details(parts)
    title = str(details.get("title") or "")
    length = str(details.get("lengthSeconds") or "")
    chapters = chapters_of(str(details.get("shortDescription") or "")) or _chapters_on(parts)
    known = [str(details.get("author") or ""), _clock(int(length)) if length.isdigit() else ""]
    known += [f"chapters: {', '.join(name for _, name in chapters)}"] if chapters else []
    about = " · ".join(filter(None, known))
    base = Extract("transcript", title, "", (), "", about=about, canonical=watch_address(video))
    if said is None:
        if reason == "the video is gone":
            return base.ending(Verdict(Status.DEAD, reason))
        # What may pass is asked for again in the next run; metadata are kept for as long as a transcript.
        status = Status.FAILED if reason.startswith(_MAY_PASS) else Status.METADATA
        return base.ending(Verdict(status, f"no transcript: {reason}"))
    spoken = [Spoken(snippet.start, snippet.text, snippet.duration) for snippet in said]
    author = (str(details["author"]),) if details.get("author") else ()
    return base.holding(pieces_of(spoken, chapters), authors=author)


def _clock(total: int) -> str:
    hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _details(parts: Sequence[Response]) -> dict[str, Any]:
    """Return what the player's data, or else the page, says of a video."""
    for part in reversed(parts):
        text = part.body.decode("utf-8", "replace")
        data = (
            embedded.parsed(text)
            if text.lstrip().startswith("{")
            else embedded.in_page(text, "ytInitialPlayerResponse")
        )
        details = data.get("videoDetails") if isinstance(data, dict) else None
        if isinstance(details, dict):
            return details
    return {}


def _chapters_on(parts: Sequence[Response]) -> list[tuple[float, str]]:
    """Return the chapters that a video's page shows: those that YouTube makes itself, where its makers wrote none."""
    page = next((part.body.decode("utf-8", "replace") for part in parts if b"chapterRenderer" in part.body), "")
    found = [value for key, value in embedded.walk(embedded.in_page(page, "ytInitialData")) if key == "chapterRenderer"]
    chapters: dict[float, str] = {}
    for chapter in found:
        if isinstance(chapter, dict) and isinstance(start := chapter.get("timeRangeStartMillis"), int):
            title = chapter.get("title")
            named = title.get("simpleText") if isinstance(title, dict) else ""
            chapters.setdefault(start / 1000, " ".join(str(named or "").split()))
    return sorted((second, title) for second, title in chapters.items() if title)


# --- a list of videos -----------------------------------------------------------------------------


def _list(part: Response) -> Extract:
    from ingest.extract import Extract

    data = embedded.in_page(part.body.decode("utf-8", "replace"), "ytInitialData")
    videos = list(dict.fromkeys(_video_ids(data)))
    found = embedded.first(data, "metadata", lambda value: isinstance(value, dict))
    inner: object = next(iter(found.values()), {})
    title = str(inner.get("title") or "") if isinstance(inner, dict) else ""
    listed = Extract("html", title, "", (), "", links=lambda: tuple(watch_address(video) for video in videos))
    if not videos:
        return listed.ending(Verdict(Status.REJECTED, "no videos are listed on the page"))
    return listed.ending(Verdict(Status.OUTLINE, f"a list of {len(videos)} videos"))


def _video_ids(data: object) -> Iterator[str]:
    """Yield the videos in a page's data, in the order in which it shows them."""
    for key, value in embedded.walk(data):
        if key in {"videoId", "contentId"} and isinstance(value, str) and _ID.fullmatch(value):
            yield value
