"""What is the same: an article's identity is its source's (`extract.site.Address`), its content is hashed here.

content.py   hashes of a text: for revisions (every letter counts) and for copies (typography does not)
"""
