"""Hosts, URLs and modes of a client, under the mission's names; the rules are pure functions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from portal.database import current_settings, utc_now
from portal.llm_clients import hostnames
from portal.llm_clients.hostnames import Mode

if TYPE_CHECKING:
    pass


class Addresses:
    """Mixed into LLMClient."""

    if TYPE_CHECKING:
        id: object
        name: object
        hashed_id: object
        deployed: object
        account: object
        user_profile: object
        custom_domain: object
        uses_bare_domain: object

    @staticmethod
    def now() -> datetime:
        return utc_now()

    @property
    def rfc1034_compliant_name(self) -> str:
        """The client's part of its host: `example`, or `example.user123`."""
        profile = self.user_profile
        return hostnames.rfc1034_compliant_name(
            self.name, profile.user.username, profile.is_account_admin
        )

    @property
    def base_api_domain(self) -> str:
        """The domain under which all default hosts live; never carries a port."""
        return current_settings().base_api_domain

    @property
    def base_default_host(self) -> str:
        """What follows the client's name in its default host, with the leading dot."""
        return hostnames.base_default_host(self.account.account_number, self.base_api_domain)

    @property
    def default_host(self) -> str:
        """The host on the platform's own domain."""
        return self.rfc1034_compliant_name + self.base_default_host

    @property
    def custom_host(self) -> str | None:
        """The host on the customer's domain; only while that domain is verified."""
        domain = self.custom_domain
        if domain is None or not domain.is_verified:
            return None
        return hostnames.custom_host(self.name, domain.domain_name)

    @property
    def custom_hosts(self) -> tuple[str, ...]:
        """The custom host and, where the client has it too, the domain's bare name."""
        host, domain = self.custom_host, self.custom_domain
        if host is None:
            return ()
        return (host, domain.domain_name) if self.uses_bare_domain else (host,)

    @property
    def sandbox_host(self) -> str:
        """The platform's host, where the workbench is."""
        return current_settings().platform_host

    @property
    def hostname(self) -> str:
        """Where it answers now: custom host, default host, or the sandbox while not deployed."""
        if not self.deployed:
            return self.sandbox_host
        return self.custom_host or self.default_host

    @property
    def default_url(self) -> str:
        return current_settings().url_of(self.default_host)

    @property
    def custom_url(self) -> str | None:
        host = self.custom_host
        return current_settings().url_of(host) if host else None

    @property
    def sandbox_url(self) -> str:
        return f"{current_settings().platform_url}/workbench/llm-clients/{self.hashed_id}/"

    @property
    def manifest_url(self) -> str:
        return f"{self.sandbox_url}manifest/"

    @property
    def url(self) -> str:
        """The URL of `hostname`."""
        return current_settings().url_of(self.hostname) if self.deployed else self.sandbox_url

    @property
    def url_llm_client(self) -> str:
        """Where the chat component sends prompts."""
        return f"{current_settings().platform_url}/api/v1/llm-clients/{self.id}/prompt/"

    @property
    def url_chat_config(self) -> str:
        """Where the chat component asks for its configuration."""
        return f"{current_settings().platform_url}/api/v1/llm-clients/{self.id}/config/"

    @property
    def url_chatapp(self) -> str:
        """Deprecated name for the page that holds the chat."""
        return f"{self.url.rstrip('/')}/prompt/"

    def mode(self, url: str) -> Mode:
        """Which of its hosts a URL is on: sandbox, custom, default or unknown."""
        return hostnames.mode_of(
            url,
            sandbox_host=self.sandbox_host,
            custom=self.custom_hosts,
            default=self.default_host,
        )
