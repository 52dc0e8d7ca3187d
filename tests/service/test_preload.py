"""The fork server loads the word lists once: a run that it starts works out no form of a shipped term again."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import crawler.service.preload
from crawler.keywords import Matcher, load_rules
from crawler.keywords.automaton import make_patterns
from crawler.pages import boilerplate, refusal
from crawler.similarity import places
from crawler.text import language

known = make_patterns.cache_info().misses
Matcher(load_rules()).find_matches({"body": "IHL"})
print(known > 500, make_patterns.cache_info().misses - known)
lists = (places._load_phrases, boilerplate._load_pattern, refusal._load_patterns, language._load_lexicon)
print(*(load.cache_info().currsize for load in lists))
"""


@pytest.mark.slow
def test_children_find_every_word_list_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "0", *"1111"], done.stderr
