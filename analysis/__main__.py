"""Statistics at the shell: ``python -m analysis``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import suppress

from analysis import commands
from analysis.errors import AnalysisError
from analysis.progress import Progress

# Arguments of the library that its messages name, and the options that they are here.
OPTIONS = {
    'nest=True': '--nest',
    'any_scale=True': '--any-scale',
    'drop_fpc=True': '--drop-fpc',
    "collapse={'class': 'other class'} or collapse='neighbour'": '--collapse',
    'Merge similar strata (collapse_strata), or choose lonely_psu="adjust"': 'Use --lonely adjust',
    'lonely_psu="certainty"': '--lonely certainty',
    'lonely_psu= ': '--lonely ',
    'population=': '--fpc',
    'probabilities=': '--probabilities',
    'value= to count one category': '--proportion Y=VALUE',
    'where=': '--where',
    'rate=': '--rate',
    'by=': '--by',
}


def as_options(message: str) -> str:
    """A message of the library in the words of the shell."""
    for argument, option in OPTIONS.items():
        # A condition such as by=1 is the user's own text.
        ends = r'(?=[ .,;]|$)' if argument.endswith('=') else ''
        message = re.sub(rf'(?<![\w-]){re.escape(argument)}{ends}', option, message)
    return message


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
        print(f'error: {as_options(str(error))}', file=sys.stderr)
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
