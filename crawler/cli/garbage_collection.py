"""How often Python searches its objects for cycles that nothing else refers to.

A short command needs nearly all objects until it ends. A collection at each 10,000 new ones takes 3 % of the processor
time of `crawler articles`, and the last one, when Python ends, 7 %.
"""

from __future__ import annotations

import gc

from crawler import GC_THRESHOLD

SHORT_COMMAND_THRESHOLDS = (200_000, 5)
LONG_COMMAND_THRESHOLDS = (GC_THRESHOLD, 50)
"""New objects after which they are searched, and after how many such searches older ones are too."""


def tune_gc_for_short_command() -> None:
    """Let a command start without a collection."""
    gc.set_threshold(*SHORT_COMMAND_THRESHOLDS)


def tune_gc_for_long_command() -> None:
    """Keep the memory of a command small that runs until it is stopped."""
    gc.set_threshold(*LONG_COMMAND_THRESHOLDS)


def skip_final_gc() -> None:
    """Let Python end without a collection, because the system takes all memory back in any case.

    A file or connection in a cycle is not closed either, so each command has to close what it opened.
    """
    gc.freeze()
