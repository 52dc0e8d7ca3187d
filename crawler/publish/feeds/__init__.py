"""Feeds of entries. One module a format, because that is where a reader looks for it.

feed.py      a feed's head, and entries as items with permanent ids
atom.py      Atom 1.0
rss.py       RSS 2.0
jsonfeed.py  JSON Feed 1.1
"""
