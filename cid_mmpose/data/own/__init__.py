from .make import check_new_config, make_config

__all__ = ['check_new_config', 'make_config']
