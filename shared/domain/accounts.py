"""Customer accounts changed a few at a time, as a CSV or the API brings them: the others stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pydantic import ValidationError

from shared.domain.account import Account
from shared.domain.declaration import explain
from shared.domain.suggest import did_you_mean
from shared.domain.workspace import Fault, Unsound, Workspace, faults

#: An account as somebody gave it: its `id`, and of its fields those that are to change.
Given = Mapping[str, object]


def merge_accounts(workspace: Workspace, given: Sequence[Given], remove: Collection[str] = ()) -> Workspace:
    """Every account in `given` is there with these fields, and none of `remove` is.

    An account that is known keeps its place, and the fields that were not given; a list that is given
    (domains, contacts) replaces the whole list, and None puts a field back to its default. One that is not
    known comes last. Raises Unsound with everything that is wrong: the path of a fault is ("accounts", place
    in `given`, field …) or ("remove", place in `remove`).
    """
    wrong = [*_not_there(workspace, remove), *account_faults(workspace, given, remove)]
    if wrong:
        raise Unsound(wrong)
    read = {account.id: account for account in _read(workspace, given)[0].values()}
    stay = (account for account in workspace.accounts if account.id not in remove)
    known = {account.id: read.get(account.id, account) for account in stay}
    return workspace.model_copy(update={"accounts": tuple((known | read).values())})


def account_faults(
    workspace: Workspace, given: Sequence[Given], remove: Collection[str] = ()
) -> tuple[Fault, ...]:
    """What is wrong with each of `given`, were they merged; where two clash, the later one is at fault."""
    read, wrong = _read(workspace, given)
    wrong += _given_twice(given, remove)
    ids = {account.id for account in read.values()}
    others = [a for a in workspace.accounts if a.id not in ids and a.id not in remove]
    # Those that are given come last, so that of two with the same domain it is theirs that is one too many.
    places = sorted({account.id: place for place, account in reversed(read.items())}.values())
    mixed = workspace.model_copy(update={"accounts": (*others, *(read[place] for place in places))})
    for fault in faults(mixed):
        place = fault.path[1] if fault.path[0] == "accounts" else None
        if isinstance(place, int) and place >= len(others):
            path = ("accounts", places[place - len(others)], *fault.path[2:])
            wrong.append(fault.model_copy(update={"path": path}))
    return tuple(sorted(wrong, key=lambda fault: int(fault.path[1])))


def _read(workspace: Workspace, given: Sequence[Given]) -> tuple[dict[int, Account], list[Fault]]:
    """The accounts as they will be, by their place in `given`, and the faults of those that cannot be."""
    known = {account.id: account for account in workspace.accounts}
    read: dict[int, Account] = {}
    wrong: list[Fault] = []
    for place, fields in enumerate(given):
        before = known.get(str(fields.get("id", "")))
        kept = before.model_dump(exclude_defaults=True) if before else {}
        merged = {name: value for name, value in {**kept, **fields}.items() if value is not None}
        try:
            read[place] = Account.model_validate(merged)
        except ValidationError as error:
            for fault in error.errors():
                path = ("accounts", place, *fault["loc"])
                message, remedy = explain(fault, path)
                wrong.append(Fault(path=path, message=message, remedy=remedy))
    return read, wrong


def _given_twice(given: Sequence[Given], remove: Collection[str]) -> Iterator[Fault]:
    seen: set[object] = set()
    for place, fields in enumerate(given):
        name, path = fields.get("id"), ("accounts", place, "id")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield Fault(
                path=path, message=f"the account {name!r} is given twice", remedy="give each its own id"
            )
        if name in remove:
            yield Fault(path=path, message=f"the account {name!r} is to be removed as well", remedy="decide")
        seen.add(name)


def _not_there(workspace: Workspace, remove: Collection[str]) -> Iterator[Fault]:
    known = {account.id for account in workspace.accounts}
    for place, name in enumerate(remove):
        if name not in known:
            yield Fault(
                path=("remove", place),
                message=f"no account {name!r} is there",
                remedy=did_you_mean(name, known, "leave it out"),
            )
