"""What changed between two versions of an article. Pure functions: no store, no clock.

alignment      which sentences stayed, were edited, added, removed or moved, and which words inside them
changes        the difference of two articles: what each change touches, its severity and the reason
revision_diff  the difference as the store keeps it
reprocessing   what a page yields otherwise when it is read again by today's page classes and rules
severity       the judgement about one sentence
kinds          the words for what a change touches and how severe it is
claims         figures, dates, names, negations, attributions and words of meaning of a sentence
roles          who did what to whom
tokens         a sentence as keys that are equal however it is typed
figures        numbers, in digits and in words
dates          dates and clock times
page_stamps    counters, time stamps and item numbers
lexicon        the words of meaning, by class and group
inflection     which words are forms of one
abbreviations  an abbreviation and the words that it stands for
"""
