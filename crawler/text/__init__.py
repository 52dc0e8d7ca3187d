"""Plain text of English, Russian and Kazakh.

characters  groups of invisible characters
cleaning    text of a page → clean lines
alphabet    the letters of folded text
folding     text → `FoldedText`, one form for every way to write the same words, and back
sentences   where sentences begin and end
spans       parts of a text as pairs of offsets
capitals    how much of a sentence is capitalised
months      names of the months
numbers     numbers and days as values
number_words  numbers as words, in every form
transliteration  Cyrillic and Latin names in one form
counts      "1 article", "2 articles"
dates       text → time
language    text → `en`, `ru`, `kk`
"""
