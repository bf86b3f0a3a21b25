"""Titles: what a document is called says what it is about."""

from __future__ import annotations

import pytest

from ingest import titles


@pytest.mark.parametrize(
    ("title", "shared", "headings", "expected"),
    [
        ("A ring | A site", "", ["A ring"], "A ring"),
        ("Rings explained - A site", "Rings explained", ["Blog"], "Rings explained"),
        ("Introduction - EVCache", "", [], "EVCache: Introduction"),
        ("7.1 Basics · MLIB", "", ["7.1 Basics", 'results matching ""'], "MLIB: 7.1 Basics"),
        ("CS 329S | Syllabus", "", [], "CS 329S: Syllabus"),
        ("Machine learning systems design", "", ["Case studies"], "Machine learning systems design: Case studies"),
        ("Machine learning systems design", "", ["Introduction", "Research vs production"], "Research vs production"),
        ("", "", ["A ring¶"], "A ring"),
        ("", "", [], ""),
        (" | ", "", [], ""),
        ("A" * 5000, "", [], "A" * 300),
    ],
)
def test_a_page_is_called_by_what_says_most(title, shared, headings, expected):
    assert titles.of_page(title, shared, headings) == expected


@pytest.mark.parametrize(
    ("found", "listed", "url", "expected"),
    [
        ("Rings", "Listed", "https://x.org/a", "Rings"),
        ("Introduction", "Bringing HPC to deep learning", "https://x.org/a", "Bringing HPC to deep learning"),
        (
            "Requirements:",
            "",
            "https://github.com/o/MLOps-Basics/blob/main/week_5_docker/README.md",
            "MLOps-Basics: week 5 docker",
        ),
        (
            "Introduction",
            "",
            "https://github.com/o/Cookbook/blob/master/sections/01-Introduction.md",
            "Cookbook: 01 Introduction",
        ),
        (
            "Overview",
            "",
            "https://docs.feast.dev/getting-started/components/overview",
            "docs.feast.dev: components overview",
        ),
        ("Introduction", "", "https://docs.feast.dev/", "docs.feast.dev: Introduction"),
        ("1. INTRODUCTION", "", "https://dl.acm.org/doi/10.1145/2843948", "dl.acm.org: 1. INTRODUCTION"),
        ("", "", "https://www.x.org/files/amazon-dynamo-sosp2007.pdf", "x.org: amazon dynamo sosp2007"),
        ("", "", "nonsense", "nonsense"),
    ],
)
def test_a_title_that_says_nothing_gives_way_to_the_list_or_the_address(found, listed, url, expected):
    assert titles.of(found, listed=listed, url=url) == expected


@pytest.mark.parametrize(
    "title", ["Introduction", "1. INTRODUCTION", "Requirements:", "Overview", "README", "3.2", "", "Week 4", "¶"]
)
def test_titles_that_could_stand_anywhere_are_known(title):
    assert titles.is_generic(title)


@pytest.mark.parametrize(
    "title", ["Pods", "Introduction to rings", "V8", "Attention? Attention!", "Fault Tolerance", "Design Mint.com"]
)
def test_titles_that_say_something_are_kept(title):
    assert not titles.is_generic(title)
