"""A site moves a field that is still read: the run is healthy and reports the move, and `crawler drift` does too."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from support.fault_campaign import SETTINGS, crawl, get_last_run
from support.ktkz_site import KtkzSite
from support.sandbox import Sandbox

pytestmark = pytest.mark.slow
MOVED = "KtArticle: title was in header.page-heading > h1 on 5 runs until "


class Rebuilt(KtkzSite):
    """Once `rebuilt`, titles are one element deeper: `header.page-heading h1` still finds them."""

    rebuilt = False

    def _render_node(self, article: object) -> str:
        node = super()._render_node(article)  # type: ignore[arg-type]
        return node.replace("<h1>", '<div class="line"><h1>').replace("</h1>", "</h1></div>") if self.rebuilt else node


class Renamed(KtkzSite):
    """Once `rebuilt`, every class of an article's page has another name."""

    rebuilt = False

    def _render_node(self, article: object) -> str:
        node = super()._render_node(article)  # type: ignore[arg-type]
        return node.replace("page-", "story-") if self.rebuilt else node


def test_lost_fields_are_suggested_and_not_applied(tmp_path: Path) -> None:
    with Renamed(4) as site:
        place = Sandbox(tmp_path, {"ktkz": site}, SETTINGS)
        assert crawl(place, "ktkz").code == 0
        shown = place.run_crawler("drift", "ktkz")
        assert (shown.code, "KtArticle.title html>body>header.page-heading>h1" in shown.out) == (0, True)
        site.rebuilt = True
        site.add_articles(4)
        # The generic reader reads the changed pages where its extra is installed.
        code = 14 if find_spec("trafilatura") else 12
        assert crawl(place, "ktkz").code == code
        shown = place.run_crawler("drift", "ktkz")
        assert shown.code == 12
        assert "  suggestion: title may be in `h1`, " in shown.out
        assert "  suggestion: body may be in `div.story-content > div`, " in shown.out
        assert "Suggestions are not applied." in shown.out
        assert crawl(place, "ktkz").code == code
        checked = place.run_crawler("check", "ktkz")
        assert checked.code == 12
        wanted = "    suggestion: body may be in `div.story-content > div`, which has the known value on 1 of 1 page."
        assert wanted in checked.out.splitlines()
        (line,) = place.run_crawler("drift", "ktkz", "--json").lines
        assert {each["field"] for each in line["suggestions"]} >= {"title", "published_at", "body"}


def test_what_moved_is_told_before_it_breaks(tmp_path: Path) -> None:
    with Rebuilt(4) as site:
        place = Sandbox(tmp_path, {"ktkz": site}, SETTINGS)
        for _ in range(5):
            assert crawl(place, "ktkz").code == 0
            site.add_articles(4)
        site.rebuilt = True
        done = crawl(place, "ktkz")
        assert done.code == 0
        assert f"Note: {MOVED}" in done.out
        run = get_last_run(place, "ktkz")
        assert run is not None
        assert run.measures["notes"][0].endswith("now in header.page-heading > div.line > h1.")
        assert set(run.measures["shapes"]) == {"Feed", "KtArticle"}
        assert len(str(run.measures["shapes"])) < 1500
        crawl(place, "ktkz")
        shown = place.run_crawler("health", "ktkz")
        assert shown.code == 0
        assert f"    note: {MOVED}" in shown.out
