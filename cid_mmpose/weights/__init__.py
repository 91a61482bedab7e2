"""Everything between a file of weights and a module: layouts, fit, conversion, safe loading."""
