"""Plain text of English, Russian and Kazakh.

characters        groups of invisible characters
decoding          bytes of a page → text, in their own encoding
cleaning          text of a page → clean lines
typography        quotation marks, dashes and spaces in one form
alphabet          the letters of folded text
folding           text → `FoldedText`, one form for every way to write the same words, and back
sentences         where sentences begin and end
spans             parts of a text as pairs of offsets
capitals          how much of a sentence is capitalised
months            names of the months
dates             text → time
ages              text → length of time
numbers           text → numbers and days as values
number_words      text → every number that it may state, also in words
transliteration   Cyrillic and Latin names in one form
language          text → `en`, `ru`, `kk`, `ky`, `uz`, `tg`
letters           Latin and Cyrillic letters as a set of characters, for patterns
region_languages  shares of words that show a language
urls              the absolute form of an address, the parts that all its spellings share
counts            "1 article", "2 articles"
periods           weeks and months by which things are counted
"""
