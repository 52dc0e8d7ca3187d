"""What matters: rules in an analyst's words, found in every form and spelling, judged by their context.

rules          the rule file, read and checked         query        boolean rules in one string
inflect_*      a base form's surface forms             forms        surface forms as patterns of folded text
matcher        one pass over a text for all rules      context      whether an ambiguous term counts
abbreviations  how a text spells out its own           capitals     what a term's capitals say
backtest       candidate rules against today's

>>> matcher = Matcher(load_rules())
>>> [match.surface for match in matcher.match({"title": "Глава Красного Креста в Астане"})]
['Красного Креста']
"""

from __future__ import annotations

from crawler.keywords.matcher import Matcher
from crawler.keywords.rules import RuleSet, load_rules, parse_rules

__all__ = ["Matcher", "RuleSet", "load_rules", "parse_rules"]
