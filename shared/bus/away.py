"""Why Kafka is away, as far as it can be told: a fault of the settings should not look like an outage."""

from __future__ import annotations

import ssl

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from shared.bus.connection import SETTING, addresses, connection_options
from shared.errors import DependencyDown
from shared.settings import KafkaSettings


async def away(settings: KafkaSettings, error: Exception) -> DependencyDown:
    """What to raise for `error` of a client that could not start.

    aiokafka says only that no broker could be reached, and why in its own log. So they are asked once more.
    """
    if isinstance(error, KafkaConnectionError):
        for host, port, _ in collect_hosts(addresses(settings)):
            fault = await _fault(settings, host, port)
            if fault is not None:
                return DependencyDown("kafka", f"{host}:{port} {fault}")
    return DependencyDown("kafka", type(error).__name__)


async def _fault(settings: KafkaSettings, host: str, port: int) -> str | None:
    """What `host` has against us; None when it takes us, or does not answer at all."""
    fault = None
    try:
        connection = await create_conn(host, port, **connection_options(settings))
    except ssl.SSLCertVerificationError as refusal:
        fault = f"shows a certificate that {SETTING}CA_FILE does not vouch for: {refusal.verify_message}"
    except ssl.SSLError:
        fault = f"speaks no TLS with us: is {SETTING}SECURITY_PROTOCOL right?"
    except (AuthenticationFailedError, SaslAuthenticationFailed):
        fault = f"refuses {SETTING}SASL_USERNAME or its {SETTING}SASL_PASSWORD"
    except UnsupportedSaslMechanismError:
        fault = f"does not know {SETTING}SASL_MECHANISM {settings.sasl_mechanism}"
    except KafkaConnectionError:
        fault = f"hangs up: are {SETTING}SECURITY_PROTOCOL and {SETTING}CERT_FILE right?"
    except (KafkaError, OSError):
        pass
    else:
        connection.close()
    return fault
