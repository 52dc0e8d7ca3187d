"""Run a command: `python -m crawler` and `crawler`. A deliberate error is one line on stderr and an exit code."""

from __future__ import annotations

import sys

from crawler.errors import CrawlerError


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    from crawler.cli.app import app

    try:
        app()
    except CrawlerError as error:
        print(f"crawler: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of a pipe has ended, as in `crawler articles | head`
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
