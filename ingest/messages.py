"""Messages: what pages say that are no text, and what becomes of them."""

from __future__ import annotations

import re

from ingest.status import Status, Verdict

# Titles that no text has. A page under one of these is rubbish even where teasers and menus make it long.
_TITLES: tuple[tuple[Verdict, str], ...] = (
    (
        Verdict(Status.DEAD, "an error page that says it was found"),
        r"(?:error )?(?:404|410)\b.*|not found|nothing found"
        r"|(?:sorry,? |oops[!.]* )?(?:this |that |the )?page (?:was )?(?:not|can't be|cannot be) found.*"
        r"|(?:oops[!.]* )?(?:this |that )?page (?:does ?n[o']t|no longer) exists?.*",
    ),
    (
        Verdict(Status.FAILED, "an error page"),
        r"(?:error )?(?:429|5\d\d)\b.*|.*\b5\d\d: .*|whitelabel error page|internal server error|bad gateway"
        r"|database error|service unavailable|(?:be|we'll be) right back.*|(?:site )?under maintenance"
        r"|too many requests",
    ),
    (
        Verdict(Status.REJECTED, "a robot check"),
        r"just a moment\W*|attention required!.*|robot check|pardon our interruption|human verification"
        r"|access to this page has been denied|are you (?:a robot|human)\W*|security check.*|verif(?:y|ying) you are.*"
        r"|one moment,? please\W*",
    ),
    (Verdict(Status.REJECTED, "a page on the way to another"), r"redirecting\W*|loading\W*"),
    (Verdict(Status.OUTLINE, "a listing of files"), r"index of /.*"),
    (
        Verdict(Status.WALLED, "a login or payment page"),
        r"(?:log|sign) ?(?:in|on|up)(?: (?:to|-|·) .*)?|login required|authentication required|register",
    ),
    (Verdict(Status.WALLED, "a refusal"), r"(?:403 )?(?:access denied|forbidden)\W*|unauthorized"),
)

# Phrases, in the order in which they are looked for. Where the second value is True they also stand in menus and
# banners of good pages, and count in the main text only.
_PHRASES: tuple[tuple[Verdict, bool, tuple[str, ...]], ...] = (
    (
        Verdict(Status.FAILED, "a page about too many requests"),
        False,
        (r"too many requests", r"rate limit(?:ed)? exceeded", r"error 429", r"unusual traffic from your"),
    ),
    (
        Verdict(Status.REJECTED, "a robot check"),
        False,
        (
            r"are you a robot",
            r"not a robot",
            r"made us think (?:that )?you (?:were|are) a bot",
            r"(?:verify|verifying|confirm|make sure)(?: that)? you(?:'re| are) (?:a )?(?:human|not a)",
            r"complete the captcha",
            r"enter the characters you see",
            r"checking (?:your browser|if the site connection is secure)",
            r"attention required.{0,20}cloudflare",
            r"ray id:",
        ),
    ),
    (
        Verdict(Status.DEAD, "an error page that says it was found"),
        False,
        (
            r"\b404\b.{0,60}not found",
            r"page (?:you(?:'re| are)? (?:requested|looking for).{0,40})?"
            r"(?:was not|could ?n[o']t be|can't be|cannot be|not) found",
            r"(?:can't|cannot|could ?n[o']t) (?:seem to )?find (?:that|the|this) page",
            r"page (?:does ?n[o']t|no longer) exists?",
            r"nothing (?:was )?found (?:here|at this location)",
            r"this (?:page|link) (?:is|has) (?:gone|expired|been removed)",
            r"(?:page|link) may (?:have been|be) (?:removed|deleted|broken)",
            r"(?:buy this domain|domain (?:is|may be) for sale|parked free)",
        ),
    ),
    (
        Verdict(Status.FAILED, "an error page"),
        False,
        (
            r"internal server error",
            r"service (?:is )?(?:temporarily )?unavailable",
            r"bad gateway",
            r"gateway time-?out",
            r"something went wrong",
            r"an error (?:has )?occurred",
            r"503 backend",
            r"establishing a database connection",
            r"(?:scheduled|down for) maintenance",
            r"(?:we'll|we will) be (?:right )?back (?:soon|shortly|online)",
            r"fatal error: uncaught",
        ),
    ),
    (
        Verdict(Status.REJECTED, "a page that needs JavaScript"),
        True,
        (
            r"enable javascript",
            r"javascript (?:is )?(?:required|disabled)",
            r"requires javascript",
            r"turn on javascript",
            r"browser is (?:not supported|out of date|unsupported)",
            r"(?:disable|turn off) your ad ?blocker",
        ),
    ),
    (
        Verdict(Status.REJECTED, "a page on the way to another"),
        True,
        (r"if you are not redirected", r"redirecting you to", r"welcome to nginx!", r"apache2? .{0,30}default page"),
    ),
    (
        Verdict(Status.REJECTED, "a consent page"),
        True,
        (
            r"before you continue",
            r"we (?:and our (?:\d+ )?partners )?(?:use|value).{0,60}(?:cookies|privacy)",
            r"accept (?:all )?cookies",
            r"cookie (?:consent|preferences)",
            r"manage (?:your )?consent",
        ),
    ),
    (
        Verdict(Status.WALLED, "a login or payment page"),
        True,
        (
            r"(?:sign|log) ?in to (?:continue|view|read|access|see|your)",
            r"please (?:sign|log) ?in",
            r"log ?in or (?:sign|register|create)",
            r"create (?:a free|an) account",
            r"already (?:have an account|a member|a subscriber)",
            r"join now",
            r"subscribe to (?:continue|read|keep)",
            r"members?-only",
            r"start your free trial",
            r"forgot (?:your )?password",
            r"you(?:'ll)? need (?:access|permission)",
            r"you are not signed in",
        ),
    ),
    (
        Verdict(Status.WALLED, "a refusal"),
        True,
        (
            r"access (?:is )?denied",
            r"you (?:do ?n[o']t|do not) have (?:permission|access)",
            r"403 forbidden",
            r"not available in your (?:country|region|location)",
        ),
    ),
)
_PAYWALL = re.compile(  # of a text in small letters
    r"this (?:post|story|article|content|lesson) is (?:only )?for (?:paid|paying|premium)? ?(?:subscribers|members)"
    r"|(?:subscribe|sign up|log in|sign in|register|create an account|upgrade)\b.{0,40}"
    r"\bto (?:continue|keep|finish) reading"
    r"|to (?:continue|keep) reading this (?:post|story|article)"
    r"|(?:create an account|sign up|become a member) to read the (?:full|rest)"
    r"|the author made this story available to .{0,30}members only"
    r"|unlock (?:this|the full|the rest of this) (?:lesson|article|story|post)"
    r"|subscribe (?:now )?for (?:full|unlimited) access"
)

_TITLED = tuple((verdict, re.compile(pattern, re.IGNORECASE)) for verdict, pattern in _TITLES)
_SAID = tuple(
    (verdict, main_only, re.compile("|".join(phrases), re.IGNORECASE | re.DOTALL))
    for verdict, main_only, phrases in _PHRASES
)


def in_title(title: str) -> Verdict | None:
    """Return what a page is, going by a title that no text has."""
    return next((verdict for verdict, pattern in _TITLED if pattern.fullmatch(_plain(title).strip())), None)


def in_text(main: str, visible: str) -> Verdict | None:
    """Return what a short page is, going by what its main text says, or all that is visible of it."""
    main, visible = _plain(main), _plain(visible)
    for verdict, main_only, pattern in _SAID:
        if pattern.search(main) or (not main_only and pattern.search(visible)):
            return verdict
    return None


def is_preview(visible: str) -> bool:
    """Return whether a page says that the rest of its text is for members or subscribers."""
    return bool(_PAYWALL.search(_plain(visible).lower()))


def _plain(text: str) -> str:
    return text.replace("’", "'").replace("‘", "'").replace("\u00a0", " ")
