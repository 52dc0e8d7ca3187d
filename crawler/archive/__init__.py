"""Pages at rest: every response byte for byte in WARC 1.1 files, one per source and day.

exchange.py   Exchange: one request with its response, on the way into the archive
record.py     Exchange → the bytes of its WARC records (pure; may run in a thread)
warc.py       WarcWriter: those bytes → files that several processes share and that survive `kill -9`
decode.py     Content-Encoding undone, with a cap on what it expands to
member.py     one record read from a file, whole or not at all
reader.py     WARC files → Snapshots
past.py       which run was going on at a time, and its records
copying.py    records taken out, byte for byte, into a file of their own
folder.py     snapshot folders: a stored page, what is known of its request, what it must yield
"""
