"""Settings, from the environment only. Entry points read them; everything below takes arguments."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set."""

    data: Path
    """PREPSHELF_DATA: the folder that programs write to; `data/` in the checkout."""
    encoder: str
    """PREPSHELF_ENCODER: folder of a sentence-transformers model; "" is the built-in all-MiniLM-L6-v2."""
    contact: str
    """PREPSHELF_CONTACT: address or mail that the User-Agent names, so that a site can reach you."""
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
        llm_url=env.get("PREPSHELF_LLM_URL", ""),
        llm_model=env.get("PREPSHELF_LLM_MODEL", ""),
        llm_key=env.get("PREPSHELF_LLM_API_KEY", ""),
    )
