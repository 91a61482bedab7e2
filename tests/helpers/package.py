"""The modules of the package and the order in which they may import each other."""

from pathlib import Path

import cid_mmpose

PACKAGE = Path(cid_mmpose.__file__).parent
# From the bottom to the top; parts of one tier may know each other as long as no two modules need each other. A package
# inside another may have a tier of its own: hooks lie below the engine that runs them, what reads a user's mistakes
# below the commands that print them.
TIERS = [
    {'errors', 'registry', 'compat', 'weights', 'recipes', 'files', 'oks', 'inference.keypoints', 'cli.user_errors'},
    {'codecs'},
    {'models'},
    {'visualization'},
    {'data', 'evaluation', 'engine.hooks', 'engine.loops', 'engine.optim'},
    {'data.prepare', 'data.doctor', 'data.own'},
    {'engine', 'inference', 'weights.convert', 'weights.model_zoo'},
    {'runtime'},
    {'export', 'scale', 'web', 'benchmark'},
    {'cli'},
    {'__main__'},
]
HEIGHT = {part: height for height, tier in enumerate(TIERS) for part in tier}


def modules(root: Path = PACKAGE) -> dict[str, Path]:
    """Dotted name below the package -> file; '' is the package itself."""
    paths = [path for path in root.rglob('*.py') if '.mim' not in path.parts]
    files = {path.relative_to(root).with_suffix('').parts: path for path in paths}
    return {'.'.join(parts[:-1] if parts[-1] == '__init__' else parts): path for parts, path in files.items()}
