"""With which of its passwords Kafka lets us in, while it is being changed."""

from __future__ import annotations

import structlog
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import AuthenticationFailedError, KafkaError, SaslAuthenticationFailed
from pydantic import SecretStr

from shared.bus.connection import addresses, connection_options
from shared.settings import KafkaSettings

#: How often whoever stays connected looks for a newer one.
LOOK_EVERY_S = 2.0
_log = structlog.get_logger()


async def choose(settings: KafkaSettings) -> None:
    """The newest password that a broker takes is the one in use from now on, for every new connection.

    Where none is taken, or nobody answers, it stays as it is. With a single one from the start nobody is
    asked.
    """
    if not settings.security_protocol.startswith("SASL"):
        return
    values, in_use = settings.by_now("sasl_password"), settings.password_in_use
    if in_use is None and len(values) == 1:
        settings.use_password(values[0])
        return
    for value in values:
        if value == in_use:
            return
        taken = await _is_taken(settings, value)
        if taken is None:
            return
        if taken:
            settings.use_password(value)
            _log.info("kafka_password_renewed")
            return


async def _is_taken(settings: KafkaSettings, password: SecretStr) -> bool | None:
    """None where no broker answers."""
    options = connection_options(settings) | {"sasl_plain_password": password.get_secret_value()}
    for host, port, _ in collect_hosts(addresses(settings)):
        try:
            connection = await create_conn(host, port, **options)
        except (AuthenticationFailedError, SaslAuthenticationFailed):
            return False
        except (KafkaError, OSError, TimeoutError):
            continue
        connection.close()
        return True
    return None
