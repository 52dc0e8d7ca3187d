"""The sources, one file each: the file's stem, the spider's `name` and the folder under `snapshots/` are the same word.

Sources without code are files in `sources/` beside crawler.toml: `defined.py` makes their spiders.

Beside the sources:
arguments.py         arguments of a run
base.py              SourceSpider: from a response to articles, requests and problems
defined.py           DefinedSpider and SiteSpider: sources that a file in `sources/` describes
survey.py            SurveySpider: looks at a site that no source describes
govkz.py             GovkzSpider: a ministry on gov.kz
platforms.py         ministries, Telegram channels and WordPress sites that a file in `sources/` names
listing_coverage.py  FullTextListingSpider: sources whose lists have the whole articles
history_walk.py      HistoryWalk: one window of a source's history, list page by list page
history_source.py    HistorySource: what a backfill uses of a spider
history_lists.py     the lists by which a history can be walked
spider_files.py      which files are sources, and why another one is not
url_mapping.py       public addresses and those of a copy of the site
"""

from __future__ import annotations

import logging
import multiprocessing
import pkgutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from crawler.config.source_folder import find_definition, list_definition_files, list_misnamed_files
from crawler.errors import DefinitionError, SpiderFileError, UnknownSource, UsageError
from crawler.spiders.spider_files import GUIDE, find_file_problem

if TYPE_CHECKING:
    from crawler.spiders.base import SourceSpider

SHARED_MODULES = frozenset(
    "arguments base defined govkz history_lists history_source history_walk listing_coverage platforms spider_files "
    "spider_loader survey url_mapping".split()
)
"""Modules of this package that are not a source."""
log = logging.getLogger(__name__)
_reported: set[str] = set()


def list_file_names() -> list[str]:
    """Return the stem of every file that should be a source, usable or not, also of retired ones."""
    return sorted({*_find_files(), *list_definition_files()})


def list_names(*, with_retired: bool = False) -> list[str]:
    """Return every source's name, without importing one. Log, once, a file that is no source."""
    names = []
    for name, spec in _find_files().items():
        problem = find_file_problem(spec)
        if problem is None:
            names.append(name)
        else:
            _report_once(problem)
    return sorted([*names, *_list_defined_names(with_retired=with_retired)])


def _list_defined_names(*, with_retired: bool) -> Iterator[str]:
    """Yield the names of sources without code. Log, once, a file that cannot be used."""
    built_in = _find_files()
    for path in list_misnamed_files():
        _report_once(f"{path} is not used: name it in small letters, digits, - and _, at most 40, a letter first.")
    for name, path in list_definition_files().items():
        if name in built_in or name in SHARED_MODULES:
            _report_once(f"{path} is not used: the source {name} is built in. Rename the file.")
            continue
        try:
            definition = find_definition(name)
        except DefinitionError as error:
            _report_once(f"{error} The source {name} is not used.")
            continue
        if definition is not None and (with_retired or not definition.retired):
            yield name


def load_spider(name: str) -> type[SourceSpider]:
    """Return the spider class of a source.

    Raise UnknownSource, which names the nearest source, SpiderFileError for a file that is no source, or
    DefinitionError for a broken file in `sources/`.
    """
    from crawler.spiders.base import SourceSpider

    spec = _find_files().get(name)
    if spec is None:
        return _load_defined_spider(name)
    if problem := find_file_problem(spec):
        raise SpiderFileError(problem)
    try:
        module = import_module(f"{__name__}.{name}")
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}"
        raise SpiderFileError(f"{spec.origin} cannot be imported and is not used: {what}.") from error
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    classes = [value for value in own if isinstance(value, type) and issubclass(value, SourceSpider)]
    for spider in classes:
        if getattr(spider, "name", None) == name:
            if missing := spider.list_missing_attributes():
                what = ", ".join(missing)
                raise SpiderFileError(f"{spec.origin} is not used: its spider has no {what}; {GUIDE}.")
            return spider
    raise SpiderFileError(f"{spec.origin} is not used: it has no class derived from SourceSpider with its name.")


def _load_defined_spider(name: str) -> type[SourceSpider]:
    """Return the spider class of a source without code, also of a retired one: its articles are still shown."""
    from crawler.spiders.defined import make_spider_class

    definition = find_definition(name)
    if definition is None or name in SHARED_MODULES:
        raise UnknownSource(name, list_names())
    return make_spider_class(name, definition)


def is_retired(name: str) -> bool:
    """Return whether a source is crawled no more."""
    definition = find_definition(name)
    return definition is not None and definition.retired


def raise_if_retired(name: str) -> None:
    """Raise UsageError for a source that is crawled no more."""
    if is_retired(name):
        raise UsageError(f"{name} is retired: `crawler sources enable {name}` brings it back.")


def load_spiders() -> dict[str, type[SourceSpider]]:
    """Return the spider classes of all sources by name. Log, once, a file that cannot be imported."""
    found = {}
    for name in list_names():
        try:
            found[name] = load_spider(name)
        except (SpiderFileError, DefinitionError) as error:
            _report_once(str(error))
    return found


def get_title(name: str, language: str = "en") -> str:
    """Return a source's name in a language (`titles` of its class), or the bare name of a source that was removed."""
    try:
        spider = load_spider(name)
    except (UnknownSource, SpiderFileError, DefinitionError):
        return name
    titles: dict[str, str] = getattr(spider, "titles", {})
    return titles.get(language, spider.title)


def _find_files() -> Mapping[str, ModuleSpec]:
    """Return the file of each name. It may be in an egg, which is a zip file."""
    return _list_files(tuple((folder, _get_change_time(folder)) for folder in __path__))


def _get_change_time(folder: str) -> int | None:
    """Return when a file was last added to a folder or removed. None for a folder in an egg."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return None


@lru_cache(maxsize=8)  # takes 0.3 ms, and opening the newsroom asks for it 19 times
def _list_files(folders: tuple[tuple[str, int | None], ...]) -> Mapping[str, ModuleSpec]:
    specs = {}
    for module in pkgutil.iter_modules(folder for folder, _ in folders):
        spec = module.module_finder.find_spec(module.name, None)
        if spec is not None and module.name not in SHARED_MODULES:
            specs[module.name] = spec
    return MappingProxyType(specs)


def _report_once(problem: str) -> None:
    """Log a problem once, in the command's process: each of its children would report it again."""
    if problem not in _reported and multiprocessing.parent_process() is None:
        _reported.add(problem)
        log.warning("%s", problem)
