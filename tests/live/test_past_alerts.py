"""Past runs once more with their alerts: the same subscribers hear of the same, or it is said who would not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alerts.hook import Hook
from live.place import Done, Place
from sites.gov import GovSite
from sites.ktkz import KtkzSite

from crawler.items import Run

pytestmark = pytest.mark.slow

ALL = """
[subscriptions.all]
channels = ["desk"]
burst = 100

[subscriptions.each]
channels = ["desk"]
unit = "article"
when = "daily 08:30"
"""


@dataclass
class Told:
    """Three runs of two sources: a baseline, new articles on both, a correction."""

    place: Place
    runs: list[dict[str, Run]]

    def configure(self, text: str) -> None:
        channel = self.place.work / "channel"
        (self.place.work / "crawler.toml").write_text(channel.read_text() + text, encoding="utf-8")

    def against(self, run: int, source: str, *words: object) -> Done:
        at = self.runs[run][source].started_at.isoformat()
        archive = self.place.archive
        return self.place.crawler("crawl", source, "--replay", archive, "--at", at, "--against", "store", *words)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder: Path = tmp_path_factory.mktemp("told")
    with GovSite(12) as gov, KtkzSite(24) as ktkz, Hook() as hook:
        place = Place(folder, {"mfa": gov, "ktkz": ktkz})
        place.work.mkdir(parents=True)
        (place.work / "channel").write_text(f'[channels]\ndesk = "{hook.address}"\n', encoding="utf-8")
        told = Told(place, [])
        told.configure(ALL)
        for _ in range(3):
            assert place.crawler("crawl", "mfa", "ktkz").code in (0, 14)
            with place.store() as store:
                told.runs.append({run.source: run for run in store.runs.recent(limit=2)})
            if len(told.runs) == 1:
                added = [*gov.add(20), *ktkz.add(20)]
            about = next(each for each in added if each.on_topic and len(each.texts) == 3)
            text = about.texts["en"]
            if len(told.runs) == 2:
                gov.edit(about.id, "en", paragraphs=(*text.paragraphs, "Three delegates of the ICRC were hurt."))
        assert any(title.startswith("Revised: ") for title in hook.titles)
        yield told


@pytest.mark.parametrize("source", ["mfa", "ktkz"])
@pytest.mark.parametrize("run", [0, 1, 2])
def test_the_same_subscribers_hear_of_the_same(told: Told, run: int, source: str) -> None:
    told.configure(ALL)
    done = told.against(run, source)
    assert (done.code, done.err) == (0, "")


def test_who_would_hear_otherwise_today_is_said(told: Told) -> None:
    told.configure(ALL.replace('unit = "article"\n', 'unit = "article"\nlanguages = ["en"]\n'))
    done = told.against(1, "mfa", "--json")
    assert done.code == 12
    assert {line["kind"] for line in done.lines} == {"told"}
    assert {(line["field"], line["then"]) for line in done.lines} == {("each", "digest")}
    assert {line["now"] for line in done.lines} == {"not: the subscription asks for articles in en only"}
    assert not any(line["of"].endswith(":en") for line in done.lines)
    plain = told.against(1, "mfa")
    assert f"told {done.lines[0]['of']} each\n    then digest\n    now  not: the subscription asks" in plain.out
    assert f"{len(done.lines)} answers of subscriptions otherwise." in plain.out


def test_subscriptions_of_later_are_not_asked(told: Told) -> None:
    told.configure(ALL + '[subscriptions.later]\nchannels = ["desk"]\n')
    assert told.place.crawler("crawl", "ktkz").code in (0, 14)
    assert told.against(1, "mfa").code == 0


def test_nobody_is_told_by_a_comparison(told: Told) -> None:
    told.configure(ALL)
    with told.place.store() as store:
        before = store.outbox.ledger(), store.news.unsorted(10)
    told.against(1, "mfa")
    with told.place.store() as store:
        assert before == (store.outbox.ledger(), store.news.unsorted(10))
