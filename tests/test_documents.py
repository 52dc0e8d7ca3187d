"""The two provided documents: stored byte for byte, read exactly, and different from every other stored page."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from crawler import spiders
from crawler.archive.snapshot_folder import load_stored_pages, read_stored_file
from crawler.config import Config
from crawler.items import Article, Image, Rights
from crawler.pages.base import read_snapshot
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.text.cleaning import clean_line, decode_entities

ROOT = Path(__file__).parents[1] / "snapshots"
RELEASE = "mfa/000_efeb8921cb83161c.txt"
MEETING = "qazmonitor/004_e20d83a56e785f98.txt"
DIGESTS = {
    RELEASE: "d5b3f966a0f3940ce87a249795ed89d43f2ab13b76a5b61c68dd5253ea16e860",
    MEETING: "ede7606bf635147ff3cd6659288691f4110b3ce212f6f5cef9bc572c5221bfd5",
}
RIGHTS_LINE = (
    "Only 30% of an article published on The Qazaqstan Monitor website may be used with a mandatory hyperlink "
    "provided to indicate the original source. To re-publish the full article, written permission from the "
    "editorial is required."
)


def read_article(name: str) -> Article:
    (page,) = read_stored_file(ROOT / name)
    (found,) = read_snapshot(page.snapshot, spiders.load_spider(name.partition("/")[0]).make_site(Config())).articles
    return found


@pytest.mark.parametrize("name", DIGESTS)
def test_document_is_kept_byte_for_byte(name: str) -> None:
    assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == DIGESTS[name]


def test_meeting_of_2023_is_read_exactly() -> None:
    found = read_article(MEETING)
    assert found.id == "qazmonitor:1392:en"
    assert found.source == "qazmonitor"
    assert found.url == "https://qazmonitor.com/news/1392/kazakh-mfa-and-red-cross-discuss-cooperation-for-2023"
    assert found.title == "Kazakh MFA and Red Cross Discuss Cooperation for 2023"
    assert found.lead == "First deputy foreign minister received officials of the ICRC mission in Kazakhstan"
    assert found.section == "News"
    assert found.language == "en"
    assert found.published_at is not None
    assert found.published_at.isoformat() == "2023-02-08T10:28:00+06:00"
    assert found.published_raw == "08 February, 2023 | 10:28"
    assert found.published_precision == "minute"
    assert found.reading_minutes == 1
    assert found.place == "Astana"
    assert (found.author, found.attribution, found.fetched_at) == (None, None, None)


def test_body_of_the_meeting_has_six_paragraphs_and_no_caption() -> None:
    found = read_article(MEETING)
    paragraphs = found.body.split("\n")
    assert len(paragraphs) == 6
    assert paragraphs[0].startswith("First deputy foreign minister Kairat Umarov")
    assert paragraphs[-1].endswith("projects and activities.")
    assert not {"ICRC", "Ministry of Foreign Affairs of Kazakhstan", RIGHTS_LINE} & set(paragraphs)
    assert found.images == (
        Image(url=None, caption="ICRC"),
        Image(url=None, caption="Ministry of Foreign Affairs of Kazakhstan"),
    )


def test_rights_of_the_meeting_are_its_own_line() -> None:
    assert read_article(MEETING).rights == Rights(
        excerpt_share=0.3,
        link_required=True,
        wording=RIGHTS_LINE,
        source="https://qazmonitor.com/news/1392/kazakh-mfa-and-red-cross-discuss-cooperation-for-2023",
    )


def test_release_is_read_exactly() -> None:
    found = read_article(RELEASE)
    assert found.id == "mfa:kt-1377987073:ru"
    assert found.source == "mfa"
    assert found.url == (
        "https://www.kt.kz/rus/press-materialy/starshie_dolzhnostnye_litsa_formata_tsentralnaya_aziya_-_1377987073.html"
    )
    assert found.language == "ru"
    assert found.attribution == "МИД РК"
    assert (found.title, found.lead, found.published_at) == (None, None, None)
    assert (found.published_raw, found.published_precision, found.section) == (None, None, None)
    assert (found.place, found.author, found.reading_minutes, found.images) == (None, None, None, ())


def test_body_of_the_release_has_seven_paragraphs_without_the_source_line() -> None:
    paragraphs = read_article(RELEASE).body.split("\n")
    assert len(paragraphs) == 7
    assert paragraphs[0].startswith("Первый заместитель министра иностранных дел Республики Казахстан Ержан Ашикбаев")
    assert paragraphs[-1].endswith("совместно с Международным Комитетом Красного Креста.")
    assert "Источник" not in read_article(RELEASE).body


def test_release_shows_its_first_sentence_marked_as_derived() -> None:
    headline = read_article(RELEASE).headline
    assert headline.startswith("‹Первый заместитель министра")
    assert headline.endswith("…›")
    assert read_article(MEETING).headline == "Kazakh MFA and Red Cross Discuss Cooperation for 2023"


@pytest.mark.parametrize("name", DIGESTS)
def test_provenance_names_the_rule_of_every_field(name: str) -> None:
    found = read_article(name)
    given = [
        field for field in ("title", "lead", "published_at", "body", "section", "attribution") if getattr(found, field)
    ]
    assert set(given) <= set(found.provenance)
    assert found.snapshot is not None
    assert found.snapshot.digest == f"sha256:{DIGESTS[name]}"


def test_the_two_documents_are_two_articles_to_dedupe() -> None:
    one, other = read_article(RELEASE), read_article(MEETING)
    assert hash_revision(one) != hash_revision(other)
    assert hash_body(one) != hash_body(other)


def strip_marks(text: str) -> str:
    """The words of any page, folded: tags and escapes of JSON gone, one space between words."""
    unescaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text).replace("\\n", " ")
    return clean_line(re.sub(r"<[^>]+>", " ", decode_entities(unescaped))).casefold()


def list_sentences(text: str) -> set[str]:
    """Sentences of at least six words, which no other text has by chance."""
    return {part for part in re.split(r"(?<=[.!?])\s", strip_marks(text)) if len(part.split()) >= 6}


def test_no_other_snapshot_repeats_the_text_of_either_document() -> None:
    given = {name: list_sentences(read_article(name).body) for name in DIGESTS}
    assert all(len(found) >= 6 for found in given.values())
    for source in spiders.list_names():
        for page in load_stored_pages(ROOT, source):
            own = given.get(f"{source}/{page.path.name}")
            text = strip_marks(page.snapshot.text)
            repeated = {sentence for found in given.values() for sentence in found if sentence in text}
            assert repeated == (own or set()), page.path
