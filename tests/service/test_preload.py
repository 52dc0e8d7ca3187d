"""The fork server loads the word lists once: a run that it starts works out no form of a shipped term again."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import crawler.service.preload
from crawler.keywords import Matcher, load_rules
from crawler.keywords.automaton import make_patterns
from crawler.similarity import places

known = make_patterns.cache_info().misses
Matcher(load_rules()).find_matches({"body": "IHL"})
print(known > 500, make_patterns.cache_info().misses - known, places._load_phrases.cache_info().currsize)
"""


def test_children_find_every_word_list_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "0", "1"], done.stderr
