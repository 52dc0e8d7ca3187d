"""Compare two versions of an article: each changed sentence, what the change touches, its severity and the reason.

`severity` judges one sentence. In either order two texts have the same kinds and severity, except that *added* becomes
*removed*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from itertools import groupby

from crawler.defaults import read_default
from crawler.items import Article, Verdict, format_time
from crawler.revisions.alignment import AlignedSentence, AlignmentType, DiffSpan, align_texts
from crawler.revisions.claims import find_certain_names
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.revisions.revision_diff import RevisionDiff, SentenceChange
from crawler.revisions.severity import (
    MAX_JUDGED_LENGTH,
    Judgement,
    format_change,
    judge_added_or_removed,
    judge_edit,
    judge_regrouped,
)
from crawler.revisions.tokens import read_tokens
from crawler.text.language import detect_language
from crawler.text.sentences import split_into_sentences

COMPARED_FIELDS = ("title", "lead", "body")
CODE_VERSION = 2
"""Raise it with every change of this package that judges a revision otherwise. Stored judgements keep theirs."""
WORD_LISTS = (
    "revision_words.toml",
    "claim_words.toml",
    "number_words.toml",
    "months.toml",
    "page_stamps.toml",
    "boilerplate.toml",
    "abbreviations.txt",
)


def diff_articles(old: Article, new: Article) -> RevisionDiff:
    """Return what changed from one version of an article to another."""
    texts = {field: (getattr(old, field) or "", getattr(new, field) or "") for field in COMPARED_FIELDS}
    language = new.language or old.language
    sentences = (*_diff_page_state(old, new), *_diff_fields(texts, language), *_diff_metadata(old, new))
    return RevisionDiff(sentences=sentences, rules=get_rules_version())


def diff_texts(old: str, new: str, language: str | None = None) -> RevisionDiff:
    """Return what changed between two texts. Without a `language` that of the new one is detected."""
    sentences = tuple(_diff_fields({"body": (old, new)}, language or detect_language(new)))
    return RevisionDiff(sentences=sentences, rules=get_rules_version())


@cache
def get_rules_version() -> str:
    """Return the version of the rules: that of the code, and a hash of the word lists."""
    lists = "\0".join(map(read_default, WORD_LISTS))
    return f"{CODE_VERSION}-{blake2b(lists.encode(), digest_size=4).hexdigest()}"


def _diff_fields(texts: Mapping[str, tuple[str, str]], language: str | None) -> Iterator[SentenceChange]:
    sentences = [sentence for pair in texts.values() for text in pair for sentence in split_into_sentences(text)]
    names = find_certain_names(
        read_tokens(sentence, language) for sentence in dict.fromkeys(sentences) if len(sentence) <= MAX_JUDGED_LENGTH
    )
    for field, (old, new) in texts.items():
        for is_changed, group in groupby(
            align_texts(old, new), key=lambda each: each.alignment is not AlignmentType.SAME
        ):
            block = list(group)
            if is_changed:
                yield from _judge_block(field, block, names, language)
            else:
                yield from (SentenceChange(field=field, sentence=sentence) for sentence in block)


def _judge_block(
    field: str, block: Sequence[AlignedSentence], names: frozenset[str], language: str | None
) -> Iterator[SentenceChange]:
    """Yield the changes of sentences that follow each other. Sentences that were only split or joined change little."""
    regrouped = None
    parts = [sentence for sentence in block if sentence.alignment is not AlignmentType.MOVED]
    if len(parts) > 1:
        old, new = ([text for each in parts if (text := getattr(each, side))] for side in ("old", "new"))
        regrouped = judge_regrouped(old, new, language=language)
    for sentence in block:
        is_moved = sentence.alignment is AlignmentType.MOVED
        judgement = regrouped if regrouped and not is_moved else _judge_sentence(sentence, names, language)
        kinds, reason = judgement.kinds, judgement.reason
        if field != "body":
            kinds, reason = (ChangeKind(field), *kinds), f"{field}: {reason}"
        yield SentenceChange(
            field=field,
            sentence=sentence,
            kinds=kinds,
            severity=judgement.severity,
            reason=reason,
            claims=judgement.claims,
        )


def _judge_sentence(sentence: AlignedSentence, names: frozenset[str], language: str | None) -> Judgement:
    if sentence.alignment is AlignmentType.MOVED:
        return Judgement((ChangeKind.MOVED,), Severity.EDITORIAL, "a sentence moved")
    if sentence.alignment is AlignmentType.EDITED:
        return judge_edit(sentence.old, sentence.new, language=language, known_names=names)
    return judge_added_or_removed(sentence.old + sentence.new, ChangeKind(sentence.alignment.value), language=language)


def _diff_page_state(old: Article, new: Article) -> Iterator[SentenceChange]:
    """Yield a change if the page itself disappeared or returned."""
    was_gone, is_gone = (each.edit_verdict is Verdict.UNPUBLISHED for each in (old, new))
    if was_gone is not is_gone:
        kind = ChangeKind.UNPUBLISHED if is_gone else ChangeKind.REPUBLISHED
        reason = "the page was taken away" if is_gone else "the page is there again"
        old_state, new_state = ("gone" if gone else "there" for gone in (was_gone, is_gone))
        yield _make_metadata_change("page", old_state, new_state, kind, reason)


def _diff_metadata(old: Article, new: Article) -> Iterator[SentenceChange]:
    """Yield the changed facts about the text."""
    for field, kind in (("published_at", ChangeKind.DATES), ("attribution", ChangeKind.ATTRIBUTION)):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            if field == "published_at":
                before, after = format_time(before), format_time(after)
            reason = f"{field}: {format_change(before, after)}"
            yield _make_metadata_change(field, before or "", after or "", kind, reason)


def _make_metadata_change(field: str, old: str, new: str, kind: ChangeKind, reason: str) -> SentenceChange:
    spans = tuple(span for span in (DiffSpan("removed", old), DiffSpan("added", new)) if span.text)
    sentence = AlignedSentence(alignment=AlignmentType.EDITED, spans=spans)
    return SentenceChange(field=field, sentence=sentence, kinds=(kind,), severity=Severity.SUBSTANTIVE, reason=reason)
