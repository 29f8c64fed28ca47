"""One installation for all chaos tests; each sends pieces of its own and looks only at those."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.post import Post, running_post
from tests.support.choice import Stack


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests wrote down with `record_property` is shown at the end."""
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.getreports(outcome)]
    noted = [report for report in reports if report.when == "call" and report.user_properties]
    if noted:
        terminalreporter.section("noted")
    for report in noted:
        terminalreporter.line(report.nodeid)
        for what, value in report.user_properties:
            terminalreporter.line(f"  {what}: {value}")


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Stack:
    """Apache Kafka or not; the servers are always our own, because nobody else's may be killed."""
    return Stack(pytestconfig.getoption("--stack"))


@pytest.fixture(scope="session")
def durable_broker(stack: Stack) -> None:
    """For tests that end the broker: the embedded one keeps nothing."""
    if stack is not Stack.APACHE_KAFKA:
        pytest.skip("the embedded broker keeps nothing when it ends; see --stack=apache-kafka")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_post(stack: Stack) -> AsyncIterator[Post]:
    async with running_post(apache=stack is Stack.APACHE_KAFKA) as post:
        yield post


@pytest_asyncio.fixture(loop_scope="session")
async def post(shared_post: Post) -> Post:
    """Everything runs and is ready."""
    await shared_post.mend()
    return shared_post
