"""The generated report: one section is measured again, the others stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report

SECTION = report.Section("version", "crawler", ("--version",), "Only for this test.")


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "benchmarks.md"
    monkeypatch.setattr(report, "FILE", file)
    monkeypatch.setattr(report, "SECTIONS", (SECTION, report.Section("other", "nothing", (), "")))
    file.write_text("# Old head\n\n## version\n\nold\n\n## other\n\nkept\n", encoding="utf-8")
    report.main(["version"])
    text = file.read_text(encoding="utf-8")
    assert text.startswith(report.HEAD)
    assert "```text\ncrawler " in text
    assert "`python -m crawler --version` on 20" in text
    assert "old" not in text
    assert text.endswith("## other\n\nkept\n")
    report.main(["version"])
    assert report.read_sections(file.read_text(encoding="utf-8")).keys() == {"version", "other"}


def test_a_benchmark_that_fails_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "benchmarks.md"
    monkeypatch.setattr(report, "FILE", file)
    monkeypatch.setattr(report, "SECTIONS", (report.Section("broken", "crawler", ("no-such-command",), ""),))
    with pytest.raises(SystemExit, match=r"ended with 2\. Nothing was written\."):
        report.main([])
    assert not file.exists()
