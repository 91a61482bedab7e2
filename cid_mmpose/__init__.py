"""CID (Contextual Instance Decoupling, CVPR 2022) for MMPose.

Importing the package is cheap and works without torch and MMPose: it lays stand-ins ready for parts of the stack that
may be missing (``compat/stack.py``). The stack is imported, and its versions are checked, when something needs it.
"""

from pathlib import Path

from .compat import stack

__version__ = '0.2.0'
EXPORTED = ('.onnx', '.xml', '.engine')  # endings of the files that ``cid export`` writes
__all__ = ['__version__', 'config_path', 'load']


def config_path(name: str) -> str:
    """Absolute path of a config that comes with the package.

    A config of your own, in any folder, can start from it:
    ``_base_ = __import__('cid_mmpose').config_path('cid_hrnet-w32_coco.py')``.

    Args:
        name: path below ``configs/``, such as ``'cid_hrnet-w32_coco.py'`` or ``'_base_/coco.py'``.

    Raises:
        BadInput: there is no such config; the message lists those there are.
    """
    from .errors import BadInput

    folder = Path(__file__).resolve().parent / '.mim' / 'configs'
    if not (folder / name).is_file():
        known = ', '.join(sorted(path.name for path in folder.glob('*.py')))
        raise BadInput(f'no config {name!r} in {folder}; there are: {known}')
    return str((folder / name).resolve())


def load(model, checkpoint=None, device=None, **options):
    """A model that is called with images: ``people = cid_mmpose.load('work_dirs/demo')('photo.jpg')[0]``.

    Args:
        model: a work folder of a training; a checkpoint that carries its config, by path or URL; the path of a config;
            the name of a model with public weights, such as 'cid_hrnet-w32_coco'; or a file that ``cid export`` wrote,
            which needs no torch.
        checkpoint: path or URL of the weights, for a config or a name.
        device: such as 'cpu' or 'cuda:0'; a GPU if there is one by default.
        **options: fields of ``inference.options.PredictOptions``: min_score, flip, max_people, nms, size, precision,
            batch_size.

    Returns:
        An ``inference.finder.PeopleFinder``: an ``inference.predictor.Predictor``, or for an exported file a
        ``runtime.predictor.ExportedPredictor``.

    Raises:
        BadInput: there is no such model, the weights are of another one, or an option is wrong.
    """
    if str(model).lower().endswith(EXPORTED):
        from .runtime.predictor import load as load_exported

        return load_exported(model, device, checkpoint=checkpoint, **options)
    stack.check_versions()
    from .inference.load import load as loaded

    return loaded(model, checkpoint, device, **options)


stack.prepare()
