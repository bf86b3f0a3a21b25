"""Settings are read once, and all that will not do is named together."""

from __future__ import annotations

import pytest

import config


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PREPSHELF_DATA", "~no-such-user/x", "a folder"),
        ("PREPSHELF_DATA", "/dev/null", "a folder"),
        ("PREPSHELF_PORTS", "8000,0", "from 1 to 65535"),
        ("PREPSHELF_PORTS", "many", "from 1 to 65535"),
        ("PREPSHELF_ALLOW", "here", "networks such as 127.0.0.0/8"),
        *[("PREPSHELF_LLM_SECONDS", value, "from 3 to 3600") for value in ("nan", "inf", "0", "-1", "soon", "9e99")],
    ],
)
def test_a_setting_is_named_with_its_value_and_what_it_may_be(name, value, allowed):
    with pytest.raises(config.SettingError) as caught:
        config.read({name: value})
    assert f"{name} is {value!r}; it is " in str(caught.value)
    assert allowed in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        *[("PREPSHELF_RUNNING", value, "from 1 to 64") for value in ("nan", "inf", "0", "-1", "2.5", "1e3", "many")],
        *[("PREPSHELF_DEADLINE", value, "from 1 to 3600") for value in ("nan", "inf", "-inf", "0", "soon")],
        ("PREPSHELF_URL", "http://[", "https://prep.example.org"),
        ("PREPSHELF_URL", "prep.example.org", "https://prep.example.org"),
        ("PREPSHELF_URL", "https://a:b@prep.example.org", "https://prep.example.org"),
        ("PREPSHELF_URL", "https://prep.example.org:0", "https://prep.example.org"),
        ("PREPSHELF_URL", "https://prep.example.org/chat", "https://prep.example.org"),
        ("PREPSHELF_LOGIN", "none", "password, oauth, header"),
        ("PREPSHELF_LOG_QUESTIONS", "yes", "0, 1"),
        ("PREPSHELF_USER_HEADER", "X User", "such as X-Forwarded-User"),
        ("PREPSHELF_PROXIES", "*", "IP addresses"),
    ],
)
def test_a_servers_setting_is_named_with_its_value_and_what_it_may_be(name, value, allowed):
    with pytest.raises(config.SettingError) as caught:
        config.read_server({name: value})
    assert f"{name} is {value!r}; it is " in str(caught.value)
    assert allowed in str(caught.value)


@pytest.mark.parametrize("value", ["nonsense", "mysql://ann:secret@x/y", "sqlite:///x.db", "postgresql://"])
def test_a_database_is_named_without_its_password(value):
    with pytest.raises(
        config.SettingError, match=r"PREPSHELF_DATABASE .* postgresql://user:password@host/name"
    ) as said:
        config.read_server({"PREPSHELF_DATABASE": value})
    assert "secret" not in str(said.value)


def test_all_settings_that_will_not_do_are_named_at_once():
    wrong = {"PREPSHELF_PORTS": "x", "PREPSHELF_RUNNING": "nan", "PREPSHELF_URL": "http://[", "PREPSHELF_LOGIN": "x"}
    with pytest.raises(config.SettingError) as caught:
        config.read_server(wrong)
    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "PREPSHELF_PORTS",
        "PREPSHELF_URL",
        "PREPSHELF_LOGIN",
        "PREPSHELF_RUNNING",
    ]


def test_settings_that_will_do_are_read():
    server = config.read_server(
        {
            "PREPSHELF_URL": "https://prep.example.org:8443/",
            "PREPSHELF_DATABASE": "postgres://ann:pw@db/prep",
            "PREPSHELF_PROXIES": "10.0.0.1, ::1",
            "PREPSHELF_RUNNING": "4",
            "PREPSHELF_DEADLINE": "30.5",
        }
    )
    assert server.url == "https://prep.example.org:8443"
    assert server.database == "postgresql+asyncpg://ann:pw@db/prep"
    assert (server.proxies, server.running, server.deadline) == (("10.0.0.1", "::1"), 4, 30.5)
    assert config.read({}).llm_seconds == 90.0
