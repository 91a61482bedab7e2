"""``python -m cid_mmpose benchmark ...``."""
import sys

if __name__ == '__main__':
    if sys.argv[1:2] != ['benchmark']:
        print('usage: python -m cid_mmpose benchmark PART; see --help behind it', file=sys.stderr)
        sys.exit(2)
    from cid_mmpose.apis.launch import user_errors
    from cid_mmpose.benchmark.command import main
    with user_errors():
        main(sys.argv[2:])
