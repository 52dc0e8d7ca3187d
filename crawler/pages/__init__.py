"""Snapshot → values: a source's page classes say where its fields stand, this room says how a page is read.

    site.py      what a page class must know of its source, and what a reading gives
    page.py      Page, ListingPage, ArticlePage; `read`, the one way from a Snapshot to articles and links
    blocks.py    a page as the sequence of its lines, HTML and text alike
    feed.py      RSS and Atom
    metadata.py  JSON-LD and OpenGraph
    shape.py     a page's structure: the path of each field, a hash of the template
    release.py   datelines and attribution lines of press releases
    refusal.py   challenge pages, gates, outages, JavaScript shells

No network, no clock, no database: the same snapshot gives the same reading, live, in a test and in ten years.
"""
