"""What a site has that no source describes yet: pure functions over pages, for `crawler add`.

feeds.py               feeds that a page names, and their entries
link_groups.py         links of a page by their place in the markup, and further pages of a list
address_shapes.py      the address pattern and the identity of articles, from examples
language_versions.py   other language versions of a site
terms.py               terms of use, and what robots.txt says
samples.py             sample articles, and where methods disagree about them
site_words.py          words by which links and lines show what they are
platform_addresses.py  sources of gov.kz and Telegram, which their address alone describes
survey.py              a look at a whole site, page by page
proposal.py            a definition from all that was found
"""
