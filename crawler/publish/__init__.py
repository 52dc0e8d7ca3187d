"""What outputs show of a story: plain values within the rights, ready to be written in any form.

entry.py    the nouns: Entry, Other, Edit
make.py     an article with its story, through the door, as an Entry
edits.py    what a revision changed, as far as it may be shown
gather.py   the stored articles that a rule, a source or a subscription asks for, grouped by story
digest.py   what was news in a time, by rule and story
troubles.py  sources that could not be seen to the full in that time
wording.py  a digest in words, the same in every form
redact.py   names blacked out before anything leaves
templates.py  the templates of messages and digests, and an owner's own
phrases.py  the words around them, and times, in English, Russian and Kazakh
"""

from __future__ import annotations

from crawler.publish.builder import EntryBuilder
from crawler.publish.entries import Entry, EntryEdit, RelatedArticle
from crawler.publish.query import ArticleQuery, list_stories
from crawler.publish.redaction import redact_article
from crawler.publish.templates import Templates
from crawler.publish.translations import Translations

__all__ = [
    "EntryEdit",
    "Entry",
    "EntryBuilder",
    "RelatedArticle",
    "Translations",
    "Templates",
    "ArticleQuery",
    "list_stories",
    "redact_article",
]
