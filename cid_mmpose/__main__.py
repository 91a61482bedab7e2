"""``python -m cid_mmpose benchmark ...`` and ``python -m cid_mmpose run ...``."""
import sys

from cid_mmpose.errors import BadInput

USAGE = '''usage: python -m cid_mmpose benchmark PART             measure; python -m cid_mmpose benchmark --help names the parts
       python -m cid_mmpose run SCRIPT [ARGUMENT ...]  run one of MMPose's scripts; python -m cid_mmpose run --help'''


def main(name: str, arguments: list) -> None:
    """Runs a command.

    Args:
        name: of the command.
        arguments: that follow it.
    """
    if name == 'run':
        from cid_mmpose.apis.run_script import main as command
    elif name == 'benchmark':
        from cid_mmpose.benchmark.command import main as command
    else:
        asked = name in ('-h', '--help')
        print(USAGE, file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)

    try:
        command(arguments)
    except Exception as error:
        if isinstance(error, BadInput) and 'mmengine' not in sys.modules:   # which takes seconds to import
            print(f'error: {error}', file=sys.stderr)
            sys.exit(2)
        from cid_mmpose.apis.launch import user_errors
        with user_errors():
            raise


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else '', sys.argv[2:])
