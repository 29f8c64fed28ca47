"""The workspace under load: the example company, with its notices sent to a sink of ours."""

from __future__ import annotations

from importlib import resources

from shared.domain.declaration import read_workspace
from shared.domain.route import ReceiverKind, ReceiverSpec, Route
from shared.domain.workspace import Workspace

RECIPIENTS = 3
#: Without it the notifier calls nobody on this machine.
ENV = {"LISTENINGPOST_NOTIFIER__WEBHOOK__ALLOWED_NETWORKS": '["127.0.0.0/8"]'}


def example() -> Workspace:
    """The company that ships with the product, as it is."""
    return read_workspace(
        (resources.files("deploy") / "config" / "workspace.yaml").read_text(encoding="utf-8")
    )


def with_sink(url: str) -> Workspace:
    """Every piece goes to exactly three webhook receivers, and to nobody else."""
    names = [f"sink-{number}" for number in range(1, RECIPIENTS + 1)]
    receivers = tuple(
        ReceiverSpec.model_validate(
            {"id": name, "kind": ReceiverKind.WEBHOOK, "url": f"{url}/{name}", "secret": "secret:sink"}
        )
        for name in names
    )
    routes = tuple(Route.model_validate({"receiver": name, "continue": True}) for name in names)
    root = Route(receiver=names[0], routes=routes)
    return example().model_copy(update={"receivers": receivers, "route": root})
