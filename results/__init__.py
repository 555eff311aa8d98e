"""What was found: typed documents, the database that holds them, queries and exports.

Imports wait until a name is used, so that ``import results`` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.database import Database, QueryResult, open_database
    from results.documents import (
        CalculationDocument,
        CollectorDocument,
        PathDocument,
        Property,
        as_structure,
    )
    from results.errors import ResultsError
    from results.fingerprint import calculation_fingerprint, structure_fingerprint
    from results.spool import Spool

_HOMES = {
    "CalculationDocument": "documents",
    "CollectorDocument": "documents",
    "Database": "database",
    "PathDocument": "documents",
    "Property": "documents",
    "QueryResult": "database",
    "ResultsError": "errors",
    "Spool": "spool",
    "as_structure": "documents",
    "calculation_fingerprint": "fingerprint",
    "open_database": "database",
    "structure_fingerprint": "fingerprint",
}

__all__ = [
    "CalculationDocument",
    "CollectorDocument",
    "Database",
    "PathDocument",
    "Property",
    "QueryResult",
    "ResultsError",
    "Spool",
    "as_structure",
    "calculation_fingerprint",
    "open_database",
    "structure_fingerprint",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'results' has no attribute {name!r}")
    return getattr(importlib.import_module(f"results.{_HOMES[name]}"), name)
