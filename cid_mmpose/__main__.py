"""``python -m cid_mmpose benchmark ...`` and ``python -m cid_mmpose run ...``."""
import sys

from cid_mmpose.cli.user_errors import user_errors

USAGE = '''usage: python -m cid_mmpose benchmark PART             measure; python -m cid_mmpose benchmark --help names the parts
       python -m cid_mmpose run SCRIPT [ARGUMENT ...]  run one of MMPose's scripts; python -m cid_mmpose run --help'''


def main(name: str, arguments: list) -> None:
    """Runs a command.

    Args:
        name: of the command.
        arguments: that follow it.
    """
    if name not in ('run', 'benchmark'):
        asked = name in ('-h', '--help')
        print(USAGE, file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)

    with user_errors():
        if name == 'run':
            from cid_mmpose.cli.run_script import main as command
        else:
            from cid_mmpose.benchmark.command import main as command
        command(arguments)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else '', sys.argv[2:])
