"""What is the same: one article, one text, one story. Pure: it is given texts and days, and gives verdicts.

identity.py     one address for all the clothes an address wears; what language versions share
content.py      hashes of a text: for revisions (every letter counts) and for copies (typography does not)
shingles.py     a text cut into sentences, words, and shingles of three words
judge.py        the verdict on two texts: exact, near-duplicate, one story, different; and why
events.py       whether two texts tell of one event, by features.py: names (skeleton.py, commonplace.py),
                numbers.py, concepts.py, and who hosts (hosts.py)
meaning.py      nearness in meaning between languages, by an optional model
stories.py      articles about one event, gathered
trace.py        what the store keeps of a text to find its likes: MinHash signature and bands
changes.py      what an edit changed, by alignment.py (sentence by sentence) and facts.py (figures, names, negations)
languages.py    the language versions of one release: missing, late, with other numbers (spelled.py reads them)
sameness.py     an article made ready for the judge
"""
