"""Tells a document that MongoDB will never take from a server that does not take it now.

`guard` names the errors of a server that is away. A server that answers and refuses (no rights, disk full,
read only) is no fault of a document either: whoever holds what it could not write should wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError, InvalidDocument
from pymongo.errors import DocumentTooLarge, OperationFailure, PyMongoError

from shared.errors import DependencyDown, PermanentError, Reason

#: BSONObjectTooLarge, DocumentValidationFailure. Source: src/mongo/base/error_codes.yml
_OF_THE_DOCUMENT = frozenset({10334, 121})


@contextmanager
def document_or_server() -> Iterator[None]:
    """Raises PermanentError for a document the server will never take, DependencyDown for everything else."""
    try:
        yield
    except (DocumentTooLarge, InvalidDocument, BSONError, OverflowError, UnicodeError) as error:
        raise PermanentError(Reason.REJECTED, f"not storable: {type(error).__name__}") from error
    except OperationFailure as error:
        if error.code in _OF_THE_DOCUMENT:
            raise PermanentError(Reason.REJECTED, f"not storable: code {error.code}") from error
        raise DependencyDown("mongodb", f"it refuses with code {error.code}") from error
    except PyMongoError as error:
        raise DependencyDown("mongodb", type(error).__name__) from error
