"""Write the table of the fault campaign to `docs/operate.md`: `PYTHONPATH=tests python -m support.fault_table`."""

from __future__ import annotations

import re
from pathlib import Path

from support.fault_campaign import list_faults

from crawler.notify.alarms import CONFIRMED_BY_SECOND_RUN

PAGE = Path(__file__).parents[2] / "docs" / "operate.md"
PLACE = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- /faults -->)", re.DOTALL)
STORED = {
    "all": "nothing new",
    "newest": "all but that article",
    "other sections": "what the other list names",
    "none": "everything",
}


def format_table() -> str:
    """Return the table: one row per fault, in the order of the file."""
    rows = ["| fault | source | health | exit code | stored in that run | told |", "|---|---|---|---|---|---|"]
    for fault in list_faults():
        verdict = (
            "none: it could not begin, or the command itself was killed" if fault.verdict == "none" else fault.verdict
        )
        told = "no" if not fault.alarm else "at the second run" if fault.verdict in CONFIRMED_BY_SECOND_RUN else "yes"
        rows.append(f"| {fault.name} | {fault.source} | {verdict} | {fault.exit} | {STORED[fault.missing]} | {told} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(PLACE.sub(lambda _: format_table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
