"""What changed between two versions of an article. Pure functions: no store, no clock.

alignment   which sentences stayed, were edited, added, removed or moved, and which words inside them
changes     the difference of two articles: what each change touches, its severity and the reason
claims      figures, dates, names, negations and attributions of a sentence
"""
