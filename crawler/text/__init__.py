"""Plain text of English, Russian and Kazakh: folding for search, sentences, words.

normalise   text → `Folded`: one form for every way of writing the same words, with the way back to the original
spans       stretches of a text, and the words they begin and end at
sentences   where the sentence around an offset begins and ends
words       the words of a text in their folded form
"""
