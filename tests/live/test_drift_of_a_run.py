"""A site that moves a field while it is still read: the run is healthy and says what moved, also when asked later."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.campaign import SETTINGS, crawl, last_run
from live.place import Place
from sites.ktkz import KtkzSite

pytestmark = pytest.mark.slow
MOVED = "KtArticle: title was in header.page-heading > h1 on 5 runs until "


class Rebuilt(KtkzSite):
    """Once `rebuilt`, titles stand one element deeper: `header.page-heading h1` still finds them."""

    rebuilt = False

    def _node(self, article: object) -> str:
        node = super()._node(article)  # type: ignore[arg-type]
        return node.replace("<h1>", '<div class="line"><h1>').replace("</h1>", "</h1></div>") if self.rebuilt else node


def test_what_moved_is_told_before_it_breaks(tmp_path: Path) -> None:
    with Rebuilt(4) as site:
        place = Place(tmp_path, {"ktkz": site}, SETTINGS)
        for _ in range(5):
            assert crawl(place, "ktkz").code == 0
            site.add(4)
        site.rebuilt = True
        done = crawl(place, "ktkz")
        assert done.code == 0
        assert f"Note: {MOVED}" in done.out
        run = last_run(place, "ktkz")
        assert run is not None
        assert run.measures["notes"][0].endswith("now in header.page-heading > div.line > h1.")
        assert set(run.measures["shapes"]) == {"Feed", "KtArticle"}
        assert len(str(run.measures["shapes"])) < 1500
        crawl(place, "ktkz")
        shown = place.crawler("health", "ktkz")
        assert shown.code == 0
        assert f"    note: {MOVED}" in shown.out
