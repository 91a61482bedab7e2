from .people_metric import CocoPeopleMetric

__all__ = ['CocoPeopleMetric']
