"""The study notes that ship with the project: enough of them, of a size to read, each leading on to its links."""

from __future__ import annotations

import re

import pytest
from conftest import FakeEncoder

from index import split
from ingest import catalogue, notes
from ingest.address import same_page
from ingest.forms import front

PATHS = sorted(catalogue.STARTER.glob("*.md"))
LINKS = {
    same_page(address): resource
    for resource in catalogue.built_in()
    for address in (resource.url, resource.fetch)  # the latter of one whose address is malformed
    if address
}
# What issue and lists name, and the words by which a note is known to be about it.
SUBJECTS = {
    "operating systems": "scheduler|virtual memory|page fault",
    "CS fundamentals": "hash (?:table|map)|binary search tree",
    "coding interviews": "complexity.*(?:test|edge)|two pointers",
    "ML fundamentals": "bias.variance|overfit",
    "cloud": "availability zone|object storage",
    "infrastructure as code": "Terraform",
    "SOLID": "single responsibility",
    "microservice patterns": "circuit breaker",
    "testing": "test pyramid|unit test",
    "CI/CD": "blue.green",
    "canary": "canary",
    "Kubernetes": "Pod",
    "ECS and EKS": "Fargate",
    "MLOps": "continuous training|model registry",
    "system design method": "back.of.the.envelope|functional requirements",
    "caching": "cache.aside",
    "URL shortener": "base.?62",
    "file sync": "delta|chunk",
    "video streaming": "adaptive bitrate|transcod",
    "ride hailing": "geohash|quadtree|H3|S2",
    "messaging": "message queue|delivery receipt|WebSocket",
    "social feed": "fan.?out",
    "ML system design": "offline metric",
    "feature stores": "point.in.time",
    "serving": "dynamic batching",
    "monitoring": "drift",
    "search ranking": "learning to rank|LambdaMART|NDCG",
    "embedding retrieval": "HNSW",
    "Wide & Deep": "Wide & Deep",
    "two-tower": "two.tower",
    "ring-allreduce": r"2\(N ?- ?1\)",
    "parameter servers": "parameter server",
    "parallelism": "tensor parallel",
    "Horovod": "Horovod",
    "FSDP": "FSDP",
}


def text_of(path) -> str:
    return path.read_text(encoding="utf-8")


def linked(path) -> list[str]:
    """The addresses that stand under "Further reading"."""
    return re.findall(r"\]\(<?([^)>\s]+)>?\)", text_of(path).partition("## Further reading")[2])


def test_there_are_enough_of_them():
    assert len(PATHS) >= 24


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
class TestNote:
    def test_has_a_size_to_be_read_at_one_go(self, path):
        body = text_of(path).split("---", 2)[2].partition("## Further reading")[0]
        assert 400 <= len(body.split()) <= 900

    def test_says_where_it_stands_and_for_whom(self, path):
        said = front.settings(text_of(path))
        assert said["stage"] in {"crawl", "walk", "run"}
        topics = {step for resource in LINKS.values() for topic in resource.topics for step in topic.split(" > ")}
        assert said["topic"].split(" > ")[0] in topics

    def test_leads_on_to_links_of_the_lists(self, path):
        found = linked(path)
        assert found
        assert [url for url in found if same_page(url) not in LINKS] == []

    def test_names_those_links_as_the_lists_do_or_says_more(self, path):
        assert all(name.strip() for name in re.findall(r"- \[([^\]]*)\]\(", text_of(path)))

    def test_becomes_passages_that_end_before_its_links(self, path):
        document = notes.read(path, f"ingest/starter/{path.name}")
        passages = split.split(document, FakeEncoder().count)
        assert len(passages) >= 4
        assert document.form == "note"
        assert not any(url in passage.text for passage in passages for url in linked(path))
        assert all(passage.place_at(0).startswith("L") for passage in passages)

    def test_leads_to_its_very_lines(self, path):
        document = notes.read(path, f"ingest/starter/{path.name}")
        lines = text_of(path).split("\n")
        for block in document.blocks:
            if block.kind in {"text", "item"}:
                first = re.sub(r"^\s*- ", "", document.text[block.start : block.end]).split()[0]
                assert first in re.sub(r"[*`]", "", lines[int(block.place[1:]) - 1])


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_has_a_note(subject):
    assert any(re.search(SUBJECTS[subject], text_of(path), re.IGNORECASE | re.DOTALL) for path in PATHS)


def test_every_section_of_the_lists_is_led_on_to():
    sections = {topic.split(" > ")[0] for resource in LINKS.values() for topic in resource.topics}
    reached = {
        topic.split(" > ")[0] for path in PATHS for url in linked(path) for topic in LINKS[same_page(url)].topics
    }
    assert sections - reached <= {"Others"}, "what is left are pages about the lists themselves"
