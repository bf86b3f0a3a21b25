"""Catalogue: any Markdown list of links is read as a person would read it."""

from __future__ import annotations

import pytest

from ingest import IngestError, catalogue
from ingest.address import same_page, well_formed


def read(tmp_path, text, name="list.md"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return catalogue.read([path])


LISTS = {
    "bullets under headings": ("# L\n\n## A\n\n- [One](https://a.test/1)\n\n### B\n\n- [Two](https://a.test/2)\n", [("A", "One"), ("A > B", "Two")]),
    "groups of bullets": ("## A\n- Books\n  - [One](https://a.test/1)\n  - [Two](https://a.test/2)\n- [Three](https://a.test/3)\n", [("A > Books", "One"), ("A > Books", "Two"), ("A", "Three")]),
    "numbers and stars": ("1. [One](https://a.test/1)\n2. [Two](https://a.test/2)\n\n* [Three](https://a.test/3)\n", [("", "One"), ("", "Two"), ("", "Three")]),
    "references": ("## A\n- [One][1]\n- [Two]\n\n[1]: https://a.test/1\n[two]: https://a.test/2 'title'\n", [("A", "One"), ("A", "Two")]),
    "autolinks": ("## A\n- <https://a.test/1>\n- https://a.test/2\n- www.example.org/3\n", [("A", "https://a.test/1"), ("A", "https://a.test/2"), ("A", "www.example.org/3")]),
    "paragraphs": ("## A\nRead [One](https://a.test/1) and then [Two](https://a.test/2).\n", [("A", "One"), ("A", "Two")]),
    "tables": ("## A\n\n| x | y |\n|---|---|\n| [One](https://a.test/1) | z |\n", [("A", "One")]),
    "markup": ("## A\n<a href='https://a.test/1'>One</a>\n", [("A", "One")]),
    "a link that is a heading": ("## [One](https://a.test/1)\n- [Two](https://a.test/2)\n", [("", "One"), ("One", "Two")]),
    "badges, pictures, relative links": ("- [![ci](https://b.test/x.svg)](https://b.test)\n- [Up](../x.md)\n- ![p](https://b.test/p.png)\n- [One](https://a.test/1)\n- README.md\n", [("", "One")]),
    "other schemes": ("- [m](mailto:a@b.test)\n- [f](ftp://a.test)\n- [j](javascript:alert(1))\n- [One](https://a.test/1)\n", [("", "One")]),
    "two links in a line": ("- [Attention](https://a.test/1) | [paper](https://a.test/2) | [code](https://a.test/3)\n", [("", "Attention"), ("", "Attention: paper"), ("", "Attention: code")]),
    "front matter": ("---\ntitle: L\nlink: https://b.test\n---\n- [One](https://a.test/1)\n", [("", "One")]),
    "windows": ("\ufeff# L\r\n\r\n## A\r\n\r\n- [One](https://a.test/1)\r\n", [("A", "One")]),
    "emphasis and code": ("- **[`One` two](https://a.test/1)** - a note on it here\n", [("", "One two")]),
    "setext headings": ("A\n===\n\n- [One](https://a.test/1)\n", [("A", "One")]),
    "links in code": ("```\n[One](https://b.test/1)\n```\n- [Two](https://a.test/2)\n", [("", "Two")]),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_any_shape_is_read(tmp_path, name):
    text, expected = LISTS[name]
    found = [
        (resource.topic.removeprefix("L > ").removeprefix("L"), resource.title) for resource in read(tmp_path, text)
    ]
    assert found == expected


def test_an_address_stays_as_it_is_written(tmp_path):
    urls = [
        "https://a.test/caf%C3%A9",
        "https://a.test/en//pubs/x.pdf",
        "https://a.test/a_(b)",
        "http://wide%20&%20deep/",
    ]
    found = read(tmp_path, "\n".join(f"- [x{n}](<{url}>)" for n, url in enumerate(urls)))
    assert [resource.url for resource in found] == urls


def test_the_same_address_twice_is_one_resource_with_both_topics(tmp_path):
    text = "# L\n## A\n- [One](https://a.test/1)\n## B\n- [Uno](https://www.a.test/1/?utm_source=x)\n"
    (found,) = read(tmp_path, text)
    assert (found.title, found.topics) == ("One", ("A", "B"))


def test_what_stands_beside_a_link_or_under_it_is_the_curators_note(tmp_path):
    text = "- [One](https://a.test/1): read the second chapter first\n  - and skip all the exercises\n- [Two](https://a.test/2)\n"
    one, two = read(tmp_path, text)
    assert "read the second chapter first" in one.note
    assert "skip all the exercises" in one.note
    assert two.note == ""


def test_a_comment_behind_a_link_sets_how_it_is_read(tmp_path):
    text = (
        "- [One](https://a.test/1) <!-- fetch: https://b.test/2; pages: 40; depth: 2; also: https://b.test/more/ -->\n"
    )
    (found,) = read(tmp_path, text)
    assert (found.fetch, found.pages, found.depth, found.under) == (
        "https://b.test/2",
        40,
        2,
        ("https://b.test/more/",),
    )


@pytest.mark.parametrize(
    "setting", ["pages: many", "pages: -1", "pages: 99999999999999999999", "depth: \u00b2", "fetch:"]
)
def test_a_setting_that_makes_no_sense_is_passed_over(tmp_path, setting):
    (found,) = read(tmp_path, f"- [One](https://a.test/1) <!-- {setting} -->\n")
    assert 1 <= found.pages <= 999_999
    assert found.depth == 3


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# Only words\n\nNothing to see.", "- [x](../a.md)", b"\xff\xfe\x00", b"\x00" * 99]
)
def test_a_list_without_links_is_an_error_with_a_cure(tmp_path, text):
    with pytest.raises(IngestError, match=r"no link to http or https found; a list is Markdown such as"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_or_too_large_is_an_error_with_a_cure(tmp_path):
    with pytest.raises(IngestError, match="cannot be read"):
        catalogue.read([tmp_path / "none.md"])
    with pytest.raises(IngestError, match="cannot be read"):
        catalogue.read([tmp_path])
    with pytest.raises(IngestError, match="split it"):
        read(tmp_path, b"x" * (catalogue.MAX_LIST_BYTES + 1))


def test_a_large_list_is_read_in_seconds(tmp_path):
    text = "\n".join(f"- [Title {n}](https://a.test/{n}) a note of some words" for n in range(4_000))
    assert len(read(tmp_path, f"# L\n\n## A\n\n{text}")) == 4_000


def test_the_lists_that_ship_hold_115_links_each_once_and_one_repaired():
    found = catalogue.built_in()
    assert len(found) == 115
    assert len({same_page(resource.url) for resource in found}) == 115
    malformed = [resource for resource in found if not well_formed(resource.url)]
    assert [resource.fetch for resource in malformed] == ["https://arxiv.org/pdf/1606.07792"]
    assert all(resource.topics[0] and resource.title for resource in found)
