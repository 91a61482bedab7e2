"""Write the API pages from the docstrings with pdoc: ``make api``, then open ``build/api/index.html``.

What ``CHANGELOG.md`` calls the stable API comes first. Private names, ``cid_mmpose.compat`` and the arguments of the
commands (``cid --help`` has those) are left out. It stops where a page would be wrong: a module that cannot be
imported, a registered class on no page.
"""

import argparse
import warnings
from importlib import import_module
from pathlib import Path

import cid_mmpose
from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.errors import BadInput

TEMPLATES = Path(__file__).resolve().parent / 'api_templates'
PACKAGE = cid_mmpose.__name__
# what __all__ of these names, and the types in configs; see the version policy
STABLE = (
    '',
    'inference',
    'models',
    'codecs',
    'data',
    'evaluation',
    'visualization',
    'engine.hooks',
    'engine.loops',
    'engine.optim',
)
LEFT_OUT = ('compat', 'cli', 'benchmark')  # and private ones, which begin with an underscore
REGISTRIES = (
    'MODELS',
    'DATASETS',
    'TRANSFORMS',
    'KEYPOINT_CODECS',
    'METRICS',
    'HOOKS',
    'LOOPS',
    'OPTIM_WRAPPERS',
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=Path('build/api'), help='folder for the pages (build/api)')
    return parser.parse_args()


def all_names() -> list[str]:
    """The modules of the package that have a page, in alphabetical order."""
    names = []
    for path in Path(cid_mmpose.__file__).parent.rglob('*.py'):
        parts = path.relative_to(Path(cid_mmpose.__file__).parents[1]).with_suffix('').parts
        if parts[-1] == '__init__':
            parts = parts[:-1]
        below = parts[1:]
        private = any(part.startswith(('_', '.')) for part in below)
        if below and not private and below[0] not in LEFT_OUT:
            names.append('.'.join(parts))
    return sorted(names)


def import_public_names(name: str) -> None:
    """Imports what ``__all__`` of a module names, where the module itself waits until somebody asks for it."""
    module = import_module(name)
    for public in getattr(module, '__all__', []):
        setattr(module, public, getattr(module, public))


def classes_without_page(documented: dict) -> list[str]:
    """Registered classes of the package that no page shows.

    Args:
        documented: name of a module -> pdoc's ``Module``.
    """
    from cid_mmpose import registry

    shown = {member.obj for module in documented.values() for member in module.classes}
    missing = []
    for name in REGISTRIES:
        known = getattr(registry, name)
        known.import_from_location()
        ours = [made for made in known.module_dict.values() if made.__module__.startswith(f'{PACKAGE}.')]
        missing += [made.__name__ for made in ours if made not in shown]
    return missing


def write_pages(folder: Path) -> int:
    """Writes a page for each module, a list of them and the index of the search.

    Args:
        folder: where to; it is made.

    Returns:
        The number of modules.

    Raises:
        BadInput: pdoc is not there, or a page would be wrong.
    """
    try:
        import pdoc
    except ImportError as error:
        raise BadInput(f'{error}; make api installs it') from None

    stable = [f'{PACKAGE}.{name}'.rstrip('.') for name in STABLE]
    rest = [name for name in all_names() if name not in stable]
    for name in stable + rest:
        import_public_names(name)

    parts = {'Stable API': stable, 'Everything else': rest}
    pdoc.render.configure(docformat='google', template_directory=TEMPLATES)
    pdoc.render.env.globals.update(parts=parts, version=cid_mmpose.__version__)
    documented = {name: pdoc.doc.Module.from_name(name) for name in stable + rest}
    missing = classes_without_page(documented)
    if missing:
        raise BadInput(f'registered and on no page: {", ".join(missing)}; name them in __all__ of their package')

    pages = {
        name.replace('.', '/') + '.html': pdoc.render.html_module(documented[name], documented) for name in documented
    }
    pages['index.html'] = pdoc.render.html_index(documented)
    pages['search.js'] = pdoc.render.search_index(documented)
    for name, content in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding='utf-8')
    return len(documented)


def main(args: argparse.Namespace) -> None:
    """Writes the pages; what pdoc would only warn of is an error."""
    warnings.filterwarnings('error', module='pdoc')
    number = write_pages(args.out)
    print(f'{args.out}/index.html: {number} modules')


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        main(args)
