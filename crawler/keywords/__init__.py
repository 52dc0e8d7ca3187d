"""Keyword rules: found in every form and spelling of their terms, and judged by their context.

rules           reads and checks the rule file         query           the query language of rules
inflect_*       the forms of a term in each language   automaton       finds the forms of all terms in one pass
matcher         matches rules against a text           context_rules   decides whether an ambiguous hit counts
context_words   the words that contexts look for       abbreviations   how a text spells an abbreviation out
search_query    any text as a query                    index_query     a query as the full-text index answers it
capitalization  what the capitals of a hit mean        backtest        compares candidate with current rules

>>> matcher = Matcher(load_rules())
>>> [match.surface for match in matcher.find_matches({"title": "Глава Красного Креста в Астане"})]
['Красного Креста']
"""

from __future__ import annotations

from crawler.keywords.matcher import Matcher
from crawler.keywords.rules import RuleSet, load_rules, load_rules_argument, parse_rules

__all__ = ["Matcher", "RuleSet", "load_rules", "load_rules_argument", "parse_rules"]
