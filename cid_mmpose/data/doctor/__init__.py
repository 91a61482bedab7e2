from .examine import findings_of, open_cases, repair
from .run import diagnose, images_against, sources_of
from .source import Source, config_sources, file_source
from .table import FINDINGS, Finding

__all__ = [
    'FINDINGS',
    'Finding',
    'Source',
    'config_sources',
    'diagnose',
    'file_source',
    'findings_of',
    'open_cases',
    'images_against',
    'repair',
    'sources_of',
]
