"""Read an article from a page of any site: pure functions over HTML and URL, with an optional memory per site.

reader.py             a page as an article, with the evidence of each field
source_pages.py       articles and lists of a source that `sources/NAME.toml` describes
article_page.py       a page object for pages that no page class knows
safety_net.py         the article of a page whose shape has changed, where the reading is sure
pdf_release.py        a press release as a PDF
page_list.py          pages that JSON lines name
page.py               the parsed page: lines, metadata, JSON-LD
page_repairs.py       an article that the markup hides until a script has run
page_lines.py         what a reader sees, line by line
extractors.py         the extractors of the extra `sites`, and whether it is installed
line_features.py      what is known about a line when it is decided whether it is in the article
article_body.py       that decision
headline.py           the title, among candidates
date_texts.py         dates in the words and numbers of a text
publication_date.py   the date, never without a text that states it
month_words.py        the months in the languages of the region, then of others
byline.py             the author
site_memory.py        what was learned of a site
memory_folder.py      the memories as files
article_language.py   the language of a text
"""
