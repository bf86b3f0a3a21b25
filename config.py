"""Settings, from the environment only. Entry points read them; everything below takes arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent


class SettingError(Exception):
    """A setting that cannot be read: the message says which, and what it may be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set."""

    data: Path
    """PREPSHELF_DATA: the folder that programs write to; `data/` in the checkout."""
    encoder: str
    """PREPSHELF_ENCODER: folder of a sentence-transformers model; "" is the built-in all-MiniLM-L6-v2."""
    contact: str
    """PREPSHELF_CONTACT: address or mail that the User-Agent names, so that a site can reach you."""
    github_token: str
    """GITHUB_TOKEN: shown to GitHub alone, for its higher limits; nothing needs it."""
    allow: tuple[IPv4Network | IPv6Network, ...]
    """PREPSHELF_ALLOW: networks besides the public internet that may be fetched from, "127.0.0.0/8,::1" say."""
    ports: tuple[int, ...]
    """PREPSHELF_PORTS: ports besides 80 and 443 that may be asked, "8000,8443" say."""
    llm_url: str
    """PREPSHELF_LLM_URL: an OpenAI-compatible endpoint; "" answers without a language model."""
    llm_model: str
    """PREPSHELF_LLM_MODEL: the model's name there."""
    llm_key: str
    """PREPSHELF_LLM_API_KEY: its key, where it wants one."""

    def __repr__(self) -> str:
        """Show the settings without the key."""
        return f"Settings(data={str(self.data)!r}, encoder={self.encoder!r}, llm_url={self.llm_url!r})"


def read() -> Settings:
    """Return the settings of this process."""
    env = os.environ
    return Settings(
        data=Path(env.get("PREPSHELF_DATA") or ROOT / "data").expanduser(),
        encoder=env.get("PREPSHELF_ENCODER", ""),
        contact=env.get("PREPSHELF_CONTACT", "no contact given"),
        github_token=env.get("GITHUB_TOKEN", ""),
        allow=_listed("PREPSHELF_ALLOW", ip_network, "networks such as 127.0.0.0/8"),
        ports=(80, 443, *_listed("PREPSHELF_PORTS", int, "numbers such as 8000")),
        llm_url=env.get("PREPSHELF_LLM_URL", ""),
        llm_model=env.get("PREPSHELF_LLM_MODEL", ""),
        llm_key=env.get("PREPSHELF_LLM_API_KEY", ""),
    )


def _listed(name: str, read_one: Callable[[str], T], wanted: str) -> tuple[T, ...]:
    try:
        return tuple(read_one(text.strip()) for text in os.environ.get(name, "").split(",") if text.strip())
    except ValueError as error:
        raise SettingError(f"{name} cannot be read ({error}); it lists {wanted}, with commas between them.") from error
