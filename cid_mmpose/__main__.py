"""``python -m cid_mmpose benchmark ...``."""
import sys

if __name__ == '__main__':
    if sys.argv[1:2] != ['benchmark']:
        asked = sys.argv[1:2] in (['-h'], ['--help'])
        print('usage: python -m cid_mmpose benchmark PART; python -m cid_mmpose benchmark --help names the parts',
              file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    from cid_mmpose.benchmark.command import main
    try:
        main(sys.argv[2:])
    except Exception:
        from cid_mmpose.apis.launch import user_errors   # takes seconds, so not before it is needed
        with user_errors():
            raise
