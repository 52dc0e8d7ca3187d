"""`crawler digest`: the text on the terminal, files by their ending, periods, and wrong arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.day_of_news import BEGIN, END, fill_store
from support.empty_stores import open_test_store
from support.sandbox import CommandResult, Sandbox

TIME = ("--since", "24h", "--until", END.isoformat())


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A home whose store has one day's news."""
    made = Sandbox(tmp_path_factory.mktemp("digest"))
    made.make_environment()
    with open_test_store(f"sqlite:///{made.data_dir / 'crawler.db'}") as store:
        fill_store(store)
    return made


def digests(sandbox: Sandbox, *commands: tuple[str | Path, ...]) -> list[CommandResult]:
    return sandbox.run_many(*(("digest", *options) for options in commands))


def test_text_on_the_terminal(sandbox: Sandbox) -> None:
    languages = ("en", "ru", "kk")
    answers = digests(sandbox, *((*TIME, "--language", language) for language in languages))
    for language, done in zip(languages, answers, strict=True):
        golden = Path(__file__).parents[1] / "publish" / f"review.{language}.txt"
        expected = golden.read_text(encoding="utf-8").splitlines()
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines()[:-1] == expected[:-1]  # but for the time it was made at


def test_times_of_day_and_days_are_the_owners(sandbox: Sandbox) -> None:
    times, days, clock = digests(
        sandbox,
        ("--since", BEGIN.replace(tzinfo=None).isoformat(), "--until", "2026-03-06T08:30"),
        ("--since", "2026-03-05", "--until", "2026-03-06"),
        ("--until", "00:00"),
    )
    assert "From 5 Mar 2026, 08:30 to 6 Mar 2026, 08:30" in times.out
    assert "From 5 Mar 2026, 00:00 to 6 Mar 2026, 00:00" in days.out
    assert (clock.code, clock.out.count(", 00:00")) == (0, 2)


def test_rules_sources_and_names_to_black_out(sandbox: Sandbox) -> None:
    chosen = ("--rule", "ihl", "--source", "mfa", "--redact", "Милошевич", "--redact", "Бакаев")
    (done,) = digests(sandbox, (*TIME, *chosen))
    assert "Kazakhstan Today: 0" not in done.out
    assert "INTERNATIONAL HUMANITARIAN LAW" in done.out
    assert "Волонтёры" not in done.out
    assert "Бакаев" not in done.out


def test_file_by_its_ending(sandbox: Sandbox) -> None:
    begins = {".html": "<!DOCTYPE html>", ".md": "# Обзор прессы", ".txt": "ОБЗОР ПРЕССЫ"}
    paths = [sandbox.folder / f"review{ending}" for ending in begins]
    for path in paths:
        path.write_text("what stood here before")
    answers = digests(sandbox, *((*TIME, "--language", "ru", "-o", path) for path in paths))
    for path, done in zip(paths, answers, strict=True):
        assert (done.code, done.err) == (0, "")
        assert done.out == f"{path}: 6 stories; 2 sources were not read completely.\n"
        assert path.read_text(encoding="utf-8").startswith(begins[path.suffix])


def test_owners_template(sandbox: Sandbox) -> None:
    folder = sandbox.folder / "templates"
    folder.mkdir()
    (folder / "digest.txt").write_text("{{ digest.stories|length }} {{ nothing.known }}", encoding="utf-8")
    done = sandbox.run_crawler("digest", *TIME, CRAWLER_TEMPLATES=str(folder))
    assert done.code == 18
    assert done.err == f"crawler: The template {folder}/digest.txt:1 cannot be used: 'nothing' is undefined.\n"


def test_word_template_is_written_edited_and_used(sandbox: Sandbox) -> None:
    pytest.importorskip("docxtpl")
    from docx import Document

    own, review = sandbox.work_dir / "own.docx", sandbox.work_dir / "review.docx"
    (done,) = digests(sandbox, ("--write-template", "own.docx"))
    assert (done.code, done.err) == (0, "")
    assert done.out == "Wrote own.docx. Edit it; name it by --template or as review.template in crawler.toml.\n"
    document = Document(own)
    next(each for each in document.paragraphs if "review.title" in each.text).runs[
        0
    ].text = "News of {{ organisation }}"
    document.save(own)
    config = sandbox.work_dir / "own.toml"
    config.write_text('[review]\norganisation = "Desk & Co"\ntemplate = "own.docx"\n')
    done = sandbox.run_crawler("--config", config, "digest", *TIME, "-o", "review.docx")
    assert (done.code, done.err) == (0, "")
    assert "News of Desk & Co" in [each.text for each in Document(review).paragraphs]
    next(each for each in document.paragraphs if "story.facts" in each.text).runs[0].text = "{{ story.fact }}"
    document.save(sandbox.work_dir / "bad.docx")
    done, absent = digests(
        sandbox,
        (*TIME, "-o", "review.docx", "--template", "bad.docx"),
        (*TIME, "-o", "review.docx", "--template", "none.docx"),
    )
    assert absent.code == 2
    assert absent.err.startswith("crawler: --template: there is no file none.docx. `crawler digest --write-template")
    assert (done.code, done.out) == (18, "")
    assert done.err.startswith("crawler: The template bad.docx, document, {{ story.fact }}: ")
    assert "News of Desk & Co" in [each.text for each in Document(review).paragraphs]


WRONG = {
    (
        "--rule",
        "icl",
    ): "There is no rule 'icl', did you mean 'ihl'? Known rules: geneva-conventions, ihl, red-cross-movement.",
    ("--source", "mf"): "There is no source 'mf', did you mean 'mfa'?",
    ("--until", "2999-01-01"): "--until 2999-01-01 is in the future.",
    ("--until", "25:00"): "--until '25:00' is not a time or day.",
    ("--since", "99999999999w"): "--since '99999999999w' is not a day, time or age.",
    ("--since", "yesterday"): "--since 'yesterday' is not a day, time or age.",
    ("--since", "10y"): "--since '10y' is not a day, time or age. "
    "Write 2026-01-31, 2026-01-31T10:00+05:00 or an age: 36h, 90d, 2w.",
    ("--since", "2026-03-07", "--until", "2026-03-06"): "--since 2026-03-07 is not before --until 2026-03-06.",
    ("-o", "review.rtf"): "-o review.rtf: the ending must be one of .html, .md, .txt, .docx, .pdf.",
    ("-o", "a.pdf", "--template", "own.docx"): "--template needs -o FILE.docx: the other forms have no Word template.",
    ("-o", "a.docx", "--write-template", "b.docx"): "--write-template writes no review: leave out -o and --template.",
    ("--write-template", "b.doc"): "--write-template b.doc: the ending must be .docx.",
    ("--redact", "("): "--redact '(' is no regular expression:",
    ("--redact", "x*"): "--redact 'x*' also matches the empty string",
}


@pytest.mark.slow
def test_wrong_arguments_are_refused(sandbox: Sandbox) -> None:
    answers = sandbox.run_many(*(("digest", *options) for options in WRONG))
    for said, done in zip(WRONG.values(), answers, strict=True):
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"crawler: {said}")
        assert len(done.err.splitlines()) == 1
