"""Run many commands from one start of Python: each in a fork that continues where `python -m crawler` would start.

It reads `[[[word, …], {variable: value}], …]` from standard input and writes `[[code, out, err], …]`. What all commands
import is imported once. Otherwise a fork is a process like any other.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback


def run_command(words: list[str], variables: dict[str, str]) -> tuple[int, str, str]:
    """Run one command in a fork of its own. Return exit code, output and errors."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if not pid:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os.environ.update(variables)
            sys.argv = ["crawler", *words]
            os._exit(run_main())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
        return code, texts[0], texts[1]


def run_main() -> int:
    """Run `main` and return the exit code that Python would end with."""
    from crawler.__main__ import main

    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - Python prints every exception too
        traceback.print_exc()
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 0 if code is None else 1


def main() -> None:
    import crawler.cli.app
    import crawler.cli.commands.crawl
    import crawler.cli.commands.extract
    import crawler.cli.commands.replay
    import crawler.keywords
    import crawler.pages.base
    import crawler.spiders.base
    import crawler.store  # noqa: F401 - loaded once for all forks

    answers = [run_command(words, variables) for words, variables in json.load(sys.stdin)]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
