"""What leaves the machine: feeds, exports, digests and press reviews, evidence.

Entries and what they are made of:
search.py            a search, its hits and their snippets
query.py             which stored articles an output wants, grouped by story
builder.py           articles as entries, with no more text than their rights allow
edits.py             what a revision changed, as far as it may be shown
redaction.py         names blacked out
entries.py           Entry and its parts
digest.py            what was new in a period, by rule and story
outages.py           sources that could not be read in that period
digest_view.py       a digest in words, the same for every form
phrases.py           words and times in English, Russian and Kazakh
templates.py         Jinja2 templates, ours and an owner's

Forms:
feeds/               Atom, RSS, JSON Feed
export_columns.py, exports.py  JSON lines, CSV, Parquet
composed_review.py   a press review that a person composed
press_review/        Word, PDF, HTML, Markdown, text
evidence.py, evidence_page.py  every version of an article with its records, in one zip
item_exporters.py    Scrapy's exporters for `crawl -o`, the owner's working copy
trends.py            matched articles by week or month, as a table, CSV or a picture
diff_format.py       a diff of two versions as lines
output_registry.py   the formats of feeds and exports by name

Files:
atomic_write.py      a file that is complete, or stays as it was
xml_text.py          XML elements without characters that XML forbids
"""
