"""Logins: the ways in that Chainlit offers, each with who may take it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chainlit.callbacks import header_auth_callback, oauth_callback, password_auth_callback
from chainlit.user import User

from app import figures
from app.gate import Policy

YOU = "you"  # who uses the chat on their own machine
_NAME = re.compile(r"[\w.@+-]{1,128}")


def register(policy: Policy, allowed: Sequence[str]) -> None:
    """Tell Chainlit how people log in."""
    if policy.login == "none":
        header_auth_callback(_you)
    elif policy.login == "password":
        password_auth_callback(_elsewhere)
    elif policy.login == "header":
        header_auth_callback(_by_header(policy.user_header))
    else:
        oauth_callback(_by_oauth(allowed))


async def _you(headers: Mapping[str, str]) -> User:  # noqa: ARG001  # Chainlit passes by name
    return User(identifier=YOU)


async def _elsewhere(username: str, password: str) -> None:  # noqa: ARG001  # our own route checks passwords
    return None


def _by_header(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  # Chainlit's callbacks have no type
    async def callback(headers: Mapping[str, str]) -> User | None:
        user = (headers.get(name) or "").strip().lower()
        known = bool(_NAME.fullmatch(user))
        figures.LOGINS.labels("ok" if known else "failed").inc()
        return User(identifier=user) if known else None

    return callback


def _by_oauth(allowed: Sequence[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def callback(
        provider_id: str,
        token: str,  # noqa: ARG001
        raw_user_data: Mapping[str, str],
        default_app_user: User,
    ) -> User | None:
        mail = str(raw_user_data.get("email") or "") if raw_user_data.get("email_verified", True) else ""
        known = may_enter(f"{provider_id}:{default_app_user.identifier}", mail, allowed)
        figures.LOGINS.labels("ok" if known else "failed").inc()
        # The provider is part of the name: the same name with another provider is another person.
        return User(identifier=f"{provider_id}:{default_app_user.identifier}") if known else None

    return callback


def may_enter(name: str, mail: str, allowed: Sequence[str]) -> bool:
    """Return whether a person is on the list, by provider and name, by mail, or by the domain of their mail.

    >>> may_enter("github:al", "al@example.org", ["@example.org"]), may_enter("github:al", "", ["google:al"])
    (True, False)
    """
    name, mail = name.casefold(), mail.casefold()
    domain = f"@{mail.rpartition('@')[2]}" if "@" in mail else ""
    return bool({name, mail, domain} & {one.casefold() for one in allowed} - {""})
