"""`cid study`: many short trainings on drawn crowds, and the page of what came out, docs/evidence.md.

``plans`` says which runs there are, ``one_run`` does one of them, ``lines`` keeps what came out, ``page`` writes it up.
"""
