"""Run a command: `python -m crawler` and `crawler`. A deliberate error is one line on stderr and an exit code."""

from __future__ import annotations

import errno
import signal
import sys

from crawler.cli.garbage_collection import skip_final_gc, tune_gc_for_short_command
from crawler.cli.stop_signals import CommandStopped, handle_stop_signals


def main() -> None:
    """Run the command that the arguments name, and exit with its code. Ctrl-C means 130, SIGTERM 143."""
    try:
        handle_stop_signals()  # before anything that takes time to import
        tune_gc_for_short_command()
        run_command()
    except CommandStopped as stopped:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)  # A second signal must not interrupt Python's own end.
        sys.exit(stopped.exit_code)
    finally:
        skip_final_gc()


def run_command() -> None:
    """Run the command, and write all that it prints. Print a deliberate error."""
    from crawler.cli.app import app
    from crawler.cli.console import clean_printed_warnings, discard_buffer, escape_unknown_characters
    from crawler.errors import CrawlerError

    clean_printed_warnings()
    escape_unknown_characters()
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:  # None if the command was started without one, as in `crawler health >&-`
                sys.stdout.flush()  # Python's own flush at the end could only print a traceback.
    except CrawlerError as error:
        print(f"crawler: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of a pipe has ended, as in `crawler articles | head`
        discard_buffer(sys.stdout)
        sys.exit(0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("crawler: The disk is full, so something was not written. Free space, and try again.", file=sys.stderr)
        discard_buffer(sys.stdout)
        sys.exit(CrawlerError.exit_code)


if __name__ == "__main__":
    main()
