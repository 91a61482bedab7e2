"""Parts of a run that users bring along: their hooks and visualization backends beside those of this project."""

import itertools
from typing import Any

from mmengine.config import Config, ConfigDict
from mmpose.registry import VISUALIZERS

# What keeps the losses as JSON lines, from which the plot of the losses is drawn.
LOCAL_BACKEND = 'LocalVisBackend'


def settle_user_parts(cfg: Config) -> None:
    """Makes a user's ``vis_backends`` and ``default_hooks`` mean what they say; in place.

    - ``vis_backends`` of the config reaches the visualizer even if only that one word was changed.
    - The losses are kept as JSON lines whatever other backends there are.
    - A hook of ``default_hooks`` that is None is left out, those of this project like those of mmengine.

    Args:
        cfg: a config with the command line's options in it.
    """
    _settle_backends(cfg)
    _settle_hooks(cfg)


def _settle_backends(cfg: Config) -> None:
    visualizer = cfg.get('visualizer')
    if not isinstance(visualizer, dict):
        return
    chosen = visualizer.get('vis_backends')
    if chosen is None or _is_default(chosen):
        chosen = cfg.get('vis_backends', chosen)
    if chosen is None:
        chosen = []
    if not isinstance(chosen, (list, tuple)):
        return  # of a wrong kind: the check of the config says so

    backends = list(chosen)
    if not any(map(_names_local_backend, backends)):
        backends.append(dict(type=LOCAL_BACKEND))
    visualizer.vis_backends = backends


def _is_default(backends: Any) -> bool:
    """Whether these backends are those of the base config, so that nobody chose them for this run."""
    return isinstance(backends, (list, tuple)) and list(backends) == [dict(type=LOCAL_BACKEND)]


def _names_local_backend(backend: Any) -> bool:
    kind = type(backend)
    if isinstance(backend, dict):
        kind = backend.get('type', '')
    name = kind if isinstance(kind, str) else kind.__name__
    return name.rpartition('.')[2] == LOCAL_BACKEND


def _settle_hooks(cfg: Config) -> None:
    hooks = cfg.get('default_hooks')
    if not isinstance(hooks, dict):
        return
    for name in _extra_hooks_off(hooks):
        del hooks[name]


def _extra_hooks_off(hooks: dict) -> list[str]:
    """Names of hooks set to None that mmengine does not know: it would stop at them."""
    known = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
    return [name for name, hook in hooks.items() if hook is None and name not in known]


def name_visualizer(visualizer: ConfigDict) -> None:
    """Gives a run's visualizer a name that this process does not know yet, by a number behind it where it does.

    Under a name that it knows, mmengine hands out the visualizer of the run before, which writes into its folder. The
    config that a run leaves in its work folder needs a name as well: MMPose's scripts do not build it without one.
    """
    kind = visualizer.type if isinstance(visualizer.type, type) else VISUALIZERS.get(visualizer.type)
    name = visualizer.get('name') or 'visualizer'
    names = itertools.chain([name], (f'{name}_{number}' for number in itertools.count(2)))
    visualizer.name = next(each for each in names if not kind.check_instance_created(each))
