"""How databases made by older versions come to have today's tables (Alembic).

`results.migration` runs these when a database is opened. A new one is written by hand beside the
change of `results.schema`: a module in ``versions`` with the next number, tested on a database that
the older version really made (``tests/results/old_databases``).
"""
