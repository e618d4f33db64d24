"""`./etl`: one command line for the local stack. Each command is one module of `local/cli/commands`.

A command module has `HELP`, `configure(parser)` and `run(args, context) -> exit code`; its file name is its name.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import logging
import os
import pkgutil
import re
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

import psycopg

import local.cli.commands
from local.cli.arguments import check_words, shown
from local.cli.console import complain, err, hint
from local.cli.context import Context
from local.cli.output import only_documents
from local.errors import LocalError, UsageError
from sportmonks import __version__
from sportmonks.errors import SportmonksError

EXIT_ERROR, EXIT_USAGE, EXIT_INTERNAL, EXIT_INTERRUPTED = 1, 2, 70, 130
EXIT_CODES = """\
Exit codes: 0 done, 1 failed, 2 a wrong argument (nothing was started), 3 not everything runs (status), 4 the condition
of --fail-on holds (dashboard), 70 a fault of this program, 130 interrupted."""
_UNKNOWN = re.compile(r"unrecognized arguments: (--[\w-]+)")
_NO_CHOICE = re.compile(r"argument (\S+): invalid choice: '(.*?)' \(choose from (.*)\)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """Raises UsageError for wrong arguments, in place of printing the usage and ending the program."""

    def error(self, message: str) -> NoReturn:
        text = message
        hint = f"{self.prog} --help lists what there is"
        unknown, wrong = _UNKNOWN.match(message), _NO_CHOICE.match(message)
        if unknown:
            near = difflib.get_close_matches(unknown[1], self._all_options(), n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}? {hint}" if near else hint
        elif wrong:
            known = [name.strip().strip("'") for name in wrong[3].split(",")]
            near = difflib.get_close_matches(wrong[2][:100], known, n=1, cutoff=0.6)
            text = f"{wrong[1]} {shown(wrong[2])} is not known"
            hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}"
        raise UsageError(shown_message(text), hint=hint)

    def _all_options(self) -> list[str]:
        """Options of this parser and of those below it: the unknown one is reported by the first parser."""
        found: list[str] = []
        for action in self._actions:
            found += action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    found += parser._all_options()
        return found


def shown_message(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:297]}..."


def commands() -> dict[str, ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(local.cli.commands.__path__))
    return {name: importlib.import_module(f"local.cli.commands.{name}") for name in names}


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="etl",
        description="Sportmonks ETL on this machine: PostgreSQL, the API sandbox and Airflow.",
        epilog=f"Settings come from the environment or .env; .env.example lists them. {EXIT_CODES}",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"etl {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in commands().items():
        summary = module.HELP
        sub = subparsers.add_parser(name, help=summary, description=module.__doc__, allow_abbrev=False)
        sub.formatter_class = argparse.RawDescriptionHelpFormatter
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    # What libraries would log is in the messages of the commands and in the log files.
    logging.basicConfig(level=logging.CRITICAL)
    # SIGTERM is handled as Ctrl-C: what this program has started is stopped in order.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # also where a script started it in the background
    context = Context()
    try:
        words = sys.argv[1:] if arguments is None else list(arguments)
        check_words(words)
        args = build_parser().parse_args(words)
        context.yes = getattr(args, "yes", False)
        with only_documents(args):
            code = int(args.run(args, context))
    except UsageError as error:
        complain(error)
        return EXIT_USAGE
    except LocalError as error:
        complain(error)
        code = EXIT_ERROR
    except SportmonksError as error:
        complain(LocalError(error.message, hint=error.hint))
        code = EXIT_ERROR
    except KeyboardInterrupt:
        err.print("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_ERROR
    except psycopg.Error as error:
        complain(_of_server(error))
        code = EXIT_ERROR
    except OSError as error:
        complain(LocalError(f"{error.filename or 'the system'}: {error.strerror or type(error).__name__}"))
        code = EXIT_ERROR
    except Exception as error:
        if os.environ.get("ETL_TRACEBACK"):
            raise
        complain(
            LocalError(
                f"a fault of this program: {type(error).__name__}: {shown_message(str(error))}",
                hint="run it again with ETL_TRACEBACK=1 and report what it prints",
            )
        )
        code = EXIT_INTERNAL
    # Whatever has failed, and in whatever words: on a full disk this is the reason.
    if code == EXIT_ERROR and (full := context.full_disk()):
        hint(full)
    return code


def _of_server(error: psycopg.Error) -> LocalError:
    message = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return LocalError(f"the warehouse does not answer: {message}", hint="run ./etl status")
    return LocalError(
        f"the warehouse refuses this: {message}", hint="run ./etl up once; it brings the schema up to date"
    )


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
