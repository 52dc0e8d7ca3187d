"""What is the same: one article, one text, one story. Pure functions: they get texts and days and return results.

url_identity       one URL for all spellings of a URL, and the id that language versions of a release share
content_hashes     a hash for revisions (every letter counts) and one for copies (typography does not)
shingles           a text in sentences, words and shingles of three words
documents          a text prepared for comparison
comparison         how two texts are the same: exact, near-duplicate, one story, different; and why
event_overlap      whether two texts report one event, by names, places, numbers and concepts
contradictions     what says that two texts report two events: other hosts, days, figures, places, names
features           the names, numbers, days and concepts of a text
places             countries, towns and provinces in three languages
counted            what a text counts: hostages, money, tonnes
concepts           words that mean the same in three languages
semantic           nearness of meaning between languages, by an optional model
fingerprint        what the store keeps to find similar texts: MinHash signature, LSH bands, event keys, passages
preparation        makes the fingerprint of a text
stories            articles about one event, grouped
language_versions  the language versions of one release: missing, late, with other numbers
"""
