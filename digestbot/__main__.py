"""The way in: `digestbot`, and `python -m digestbot`."""

from __future__ import annotations

import sys

from digestbot import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    # Answered before anything is imported: scripts ask for it all the time.
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"digestbot {__version__}\n")
        return
    from digestbot.cli.importing import importing  # noqa: PLC0415 - see above

    with importing():
        from digestbot.cli.main import run  # noqa: PLC0415 - see above

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
