"""Statistics at the shell: ``python -m analysis``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress

from analysis import commands
from analysis.errors import AnalysisError
from analysis.progress import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; faults of input end with one line on stderr and exit code 2."""
    parser = argparse.ArgumentParser(
        prog='python -m analysis',
        description='Estimates from complex survey samples: CSV or Parquet in, table or JSON out.',
    )
    commands.add_all(
        parser.add_subparsers(title='commands', required=True, metavar='COMMAND', dest='command')
    )
    options = parser.parse_args(arguments)
    try:
        with Progress(sys.stderr, options.command) as options.progress:
            said = options.run(options)
        print(said, flush=True)
    except AnalysisError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        # A full disk shows when the output is written, and again when Python ends.
        print(f'error: the output cannot be written: {error.strerror}.', file=sys.stderr)
        with suppress(OSError):
            sys.stdout.close()
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
