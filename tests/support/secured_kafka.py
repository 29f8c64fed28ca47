"""Apache Kafka behind TLS: one listener asks for a name and a password, the other for a certificate."""

from __future__ import annotations

from pathlib import Path

from deploy.embedded.broker import bootstrap_servers
from deploy.embedded.ports import LOOPBACK, PortLease, lease_port
from tests.support.apache_kafka import ApacheKafka
from tests.support.certificates import Authority

USERNAME = "listeningpost"


class SecuredKafka(ApacheKafka):
    """`USERNAME` and `password` log in; who has a certificate of `authority` needs neither.

    The broker speaks to itself at its first port, in the clear.
    """

    def __init__(self, authority: Authority, password: str) -> None:
        super().__init__()
        self._authority = authority
        self._password = password
        self._login: PortLease = lease_port()
        self._certificate: PortLease = lease_port()
        self._keystore: Path = authority.issue("broker")

    @property
    def login(self) -> str:
        """Where a name and a password are asked for."""
        return bootstrap_servers(self._login.port)

    @property
    def certificate(self) -> str:
        """Where a certificate is asked for."""
        return bootstrap_servers(self._certificate.port)

    async def close(self) -> None:
        await super().close()
        self._login.release()
        self._certificate.release()

    def properties(self) -> dict[str, object]:
        plain = super().properties()
        listeners = f"LOGIN://{LOOPBACK}:{self._login.port},CERTIFICATE://{LOOPBACK}:{self._certificate.port}"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        known = f'user_{USERNAME}="{self._password}"'
        return plain | {
            "listeners": f"{plain['listeners']},{listeners}",
            "advertised.listeners": f"{plain['advertised.listeners']},{listeners}",
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,CERTIFICATE:SSL"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._keystore,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._authority.file,
            "listener.name.certificate.ssl.client.auth": "required",
            "listener.name.login.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.login.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.login.plain.sasl.jaas.config": (
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};"
            ),
        }

    def format_arguments(self) -> tuple[str, ...]:
        return ("--add-scram", f"SCRAM-SHA-512=[name={USERNAME},password={self._password}]")

    async def change_password(self, new: str) -> None:
        """Of the mechanism SCRAM-SHA-512, by Kafka's own tool."""
        changed = ("--entity-name", USERNAME, "--add-config", f"SCRAM-SHA-512=[password={new}]")
        await self.tool("kafka.admin.ConfigCommand", "--alter", "--entity-type", "users", *changed)
