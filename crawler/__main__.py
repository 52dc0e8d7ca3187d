"""`python -m crawler` and `crawler`: run a command; a deliberate error is one sentence on stderr and an exit code."""

from __future__ import annotations

import sys

from crawler.errors import CrawlerError


def main() -> None:
    """Run the command that the arguments name and end the process with its exit code."""
    from crawler.cli.app import app

    try:
        app()
    except CrawlerError as error:
        print(f"crawler: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `crawler articles | head`
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
