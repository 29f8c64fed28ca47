"""How to reach Kafka: one reading of the settings, for aiokafka's clients and for FastStream's broker."""

from __future__ import annotations

import ssl
from typing import Any

from aiokafka.helpers import create_ssl_context
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.errors import ConfigurationError
from shared.settings import KafkaSettings

SETTING = "LISTENINGPOST_KAFKA__"
_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


def addresses(settings: KafkaSettings) -> list[str]:
    return [server.strip() for server in settings.bootstrap_servers.split(",")]


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client takes."""
    return {
        "bootstrap_servers": addresses(settings),
        "retry_backoff_ms": 100,
        "metadata_max_age_ms": 30_000,
        **connection_options(settings),
    }


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """Those among them that a single connection takes. Raises ConfigurationError."""
    options: dict[str, Any] = {
        "request_timeout_ms": settings.request_timeout_ms,
        "security_protocol": settings.security_protocol,
        "ssl_context": _ssl_context(settings),
    }
    if settings.security_protocol.startswith("SASL"):
        username, password = _login(settings)
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = username
        options["sasl_plain_password"] = password
    return options


def security(settings: KafkaSettings) -> BaseSecurity | None:
    """The same for FastStream's broker."""
    context = _ssl_context(settings)
    if settings.security_protocol.startswith("SASL"):
        return _SASL[settings.sasl_mechanism](*_login(settings), context)
    return BaseSecurity(context) if context else None


def _login(settings: KafkaSettings) -> tuple[str, str]:
    passwords = settings.by_now("sasl_password")
    if not settings.sasl_username or not passwords:
        msg = f"{SETTING}SECURITY_PROTOCOL asks for {SETTING}SASL_USERNAME and {SETTING}SASL_PASSWORD"
        raise ConfigurationError(msg)
    return settings.sasl_username, (settings.password_in_use or passwords[0]).get_secret_value()


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if not settings.security_protocol.endswith("SSL"):
        return None
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=str(settings.ca_file) if settings.ca_file else None
        )
    except OSError as error:  # of which ssl.SSLError is one
        msg = f"{SETTING}CA_FILE: no certificates can be read there ({type(error).__name__})"
        raise ConfigurationError(msg) from error
    if settings.cert_file is not None:
        try:
            context.load_cert_chain(settings.cert_file, settings.key_file)
        except OSError as error:
            msg = f"{SETTING}CERT_FILE, {SETTING}KEY_FILE: no pair can be read there ({type(error).__name__})"
            raise ConfigurationError(msg) from error
    return context
