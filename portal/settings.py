"""Settings: one frozen object, read once; the only reader of the process environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path

from portal import service_urls
from portal.issuer_settings import (
    ISSUERS,
    AcmeSettings,
    KubernetesSettings,
    acme_settings,
    file_problems,
    kubernetes_settings,
)
from portal.sign_on_settings import SignOnSettings, sign_on_settings

DEFAULT_PORT = 9357
SHORTEST_PASSWORD = 10
PUBLIC_RESOLVERS = "1.1.1.1 8.8.8.8"


class SettingsError(Exception):
    """Everything that is missing or wrong, one sentence each, in `problems`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Environment:
    """All that differs between environments; patterns are filled with the root domain and port.

    `platform_domain` and `api_domain` carry a port in local, as in the model's examples
    (`api.localhost:9357`); `base_api_domain` never does.
    """

    scheme: str
    platform_domain: str
    api_domain: str
    base_api_domain: str
    zone_editor: str
    issuer: str
    is_local: bool = False
    allow_private_addresses: bool = False


def _public(prefix: str) -> Environment:
    return Environment(
        scheme="https",
        platform_domain=prefix + "platform.{root}",
        api_domain=prefix + "api.{root}",
        base_api_domain=prefix + "api.{root}",
        zone_editor="manual",
        issuer="local",
    )


ENVIRONMENTS: dict[str, Environment] = {
    "local": Environment(
        scheme="http",
        platform_domain="{root}:{port}",
        api_domain="api.{root}:{port}",
        base_api_domain="api.local.{root}",
        zone_editor="local",
        issuer="local",
        is_local=True,
        allow_private_addresses=True,
    ),
    "alpha": _public("alpha."),
    "beta": _public("beta."),
    "next": _public("next."),
    "prod": _public(""),
}

# The environment's settings that can be chosen apart from it: PORTAL_<NAME>.
_OVERRIDABLE = ("platform_domain", "api_domain", "base_api_domain")
_DOMAIN = re.compile(
    r"^(?=.{1,253}(:\d+)?$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]+(:\d{1,5})?$"
)


@dataclass(frozen=True)
class Settings:
    """What one process of the portal knows about its surroundings.

    Customers point their names to `edge_host` or to one of
    `edge_addresses` (empty: `edge_address`). `caa_domains` is how CAA records name our certificate
    authority; `http_port` is where it asks.
    """

    environment: str = "local"
    root_domain: str = "localhost"
    platform_domain: str = f"localhost:{DEFAULT_PORT}"
    api_domain: str = f"api.localhost:{DEFAULT_PORT}"
    base_api_domain: str = "api.local.localhost"
    scheme: str = "http"
    port: int = DEFAULT_PORT
    internal_port: int = DEFAULT_PORT + 1
    edge_port: int = DEFAULT_PORT + 2
    dns_port: int = DEFAULT_PORT + 3
    demo_port: int = DEFAULT_PORT + 4
    edge_address: str = "127.0.0.1"
    edge_host: str = "edge.api.local.localhost"
    edge_addresses: tuple[str, ...] = ()
    http_port: int = 80
    caa_domains: tuple[str, ...] = ()
    public_resolvers: tuple[tuple[str, int], ...] = ()
    authority_dns_port: int = 53
    data_dir: Path = Path("data")
    database_url: str = "sqlite:///data/portal.sqlite3"
    redis_url: str = ""
    zone_editor: str = "local"
    issuer: str = "local"
    is_local: bool = True
    allow_private_addresses: bool = True
    trusted_proxies: int = 0
    job_lease_seconds: int = 30
    secret_key: str = field(default="", repr=False)
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    encryption_keys_file: Path | None = None
    internal_token: str = field(default="", repr=False)
    tsig_secret: str = field(default="", repr=False)
    admin_password: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    breached_passwords: Path | None = None
    zone_editor_values: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    certificate_roots_file: str = ""
    acme: AcmeSettings = AcmeSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    sign_on: SignOnSettings = SignOnSettings()

    @property
    def platform_host(self) -> str:
        """The platform's host name; hosts never carry a port."""
        return self.platform_domain.partition(":")[0]

    @property
    def platform_url(self) -> str:
        """Where people sign in, without a trailing slash."""
        return f"{self.scheme}://{self.platform_domain}"

    def url_of(self, host: str) -> str:
        """The URL of a host on the public port, which shows only where it is not the scheme's."""
        default_port = {"http": 80, "https": 443}[self.scheme]
        suffix = f":{self.port}" if self.is_local and self.port != default_port else ""
        return f"{self.scheme}://{host}{suffix}"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read everything; raises SettingsError naming all that is missing or wrong together."""
        reader = _Reader(environ)
        name = environ.get("PORTAL_ENVIRONMENT", "local")
        if name not in ENVIRONMENTS:
            known = ", ".join(ENVIRONMENTS)
            raise SettingsError([f"PORTAL_ENVIRONMENT is {name!r}; it must be one of {known}."])
        environment = ENVIRONMENTS[name]
        values: dict[str, object] = {"environment": name, **_ports(reader)}
        values.update(_domains(reader, environment, values))
        values.update(_stores(reader, environment))
        values.update(_secrets(reader, environment, Path(str(values["data_dir"]))))
        for key in ("scheme", "is_local", "allow_private_addresses"):
            values[key] = getattr(environment, key)
        values["zone_editor"] = environ.get("PORTAL_ZONE_EDITOR", environment.zone_editor)
        values.update(_issuer(reader, environment))
        values["edge_address"] = environ.get("PORTAL_EDGE_ADDRESS", "127.0.0.1")
        values["edge_host"] = environ.get("PORTAL_EDGE_HOST", f"edge.{values['base_api_domain']}")
        values["edge_addresses"] = _words(environ.get("PORTAL_EDGE_ADDRESSES", ""))
        values["caa_domains"] = _words(environ.get("PORTAL_CAA_DOMAINS", "").lower())
        values["http_port"] = reader.number("PORTAL_HTTP_PORT", 80, 1, 65_535)
        values["public_resolvers"] = _resolvers(reader, environment)
        values["authority_dns_port"] = reader.number("PORTAL_AUTHORITY_DNS_PORT", 53, 1, 65_535)
        values["zone_editor_values"] = _zone_editor_values(reader)
        values["sign_on"] = sign_on_settings(
            environ,
            reader.secret("PORTAL_OIDC_CLIENT_SECRET", None, required=False),
            environment.is_local,
            reader.problems,
        )
        values["breached_passwords"] = _readable(reader, "PORTAL_BREACHED_PASSWORDS")
        values["trusted_proxies"] = reader.number("PORTAL_TRUSTED_PROXIES", 0, 0, 9)
        if not environment.is_local and environ.get("PORTAL_PLAIN_SERVICES") != "yes":
            names = ("database_url", "redis_url", "smtp_url")
            reader.problems += service_urls.problems(*(str(values[name]) for name in names))
        if reader.problems:
            raise SettingsError(reader.problems)
        known_fields = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in values.items() if k in known_fields})  # type: ignore[arg-type]


def _readable(reader: _Reader, name: str) -> Path | None:
    """A file that is there, if one is named."""
    found = Path(reader.environ[name]) if reader.environ.get(name) else None
    if found is not None and not os.access(found, os.R_OK):
        reader.problems.append(f"{name} names {found}, which cannot be read.")
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def number(self, name: str, default: int, low: int, high: int) -> int:
        text = self.environ.get(name, "")
        if not text:
            return default
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        self.problems.append(f"{name} is {text!r}; it must be a whole number from {low} to {high}.")
        return default

    def secret(self, name: str, file: Path | None, required: bool) -> str:
        """From NAME, from the file that NAME_FILE points to, else from our own file."""
        if self.environ.get(name):
            return self.environ[name].strip()
        named = self.environ.get(f"{name}_FILE")
        path = Path(named) if named else file
        try:
            text = path.read_text().strip() if path else ""
        except FileNotFoundError:
            text = ""
        except OSError as error:
            self.problems.append(f"{name} cannot be read from {path}: {error.strerror}.")
            return ""
        if required and not text:
            self.problems.append(f"{name} is missing; set it or {name}_FILE.")
        return text


def _resolvers(reader: _Reader, environment: Environment) -> tuple[tuple[str, int], ...]:
    """Addresses with or without a port; in local nobody outside is asked unless told to."""
    default = "" if environment.is_local else PUBLIC_RESOLVERS
    found = []
    for text in reader.environ.get("PORTAL_PUBLIC_RESOLVERS", default).replace(",", " ").split():
        host, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
        try:
            found.append((str(ip_address(host)), int(port or 53)))
        except ValueError:
            reader.problems.append(f"PORTAL_PUBLIC_RESOLVERS has {text!r}, which is no IP address.")
    return tuple(found)


def _zone_editor_values(reader: _Reader) -> tuple[tuple[str, str], ...]:
    """PORTAL_ZONE_<SETTING> of the platform's zone editor, from the variable or its file."""
    names = {
        name.removesuffix("_FILE")
        for name in reader.environ
        if name.startswith("PORTAL_ZONE_") and name != "PORTAL_ZONE_EDITOR"
    }
    values = {name: reader.secret(name, None, required=False) for name in sorted(names)}
    return tuple(
        (name.removeprefix("PORTAL_ZONE_").lower(), value) for name, value in values.items()
    )


def _ports(reader: _Reader) -> dict[str, object]:
    port = reader.number("PORTAL_PORT", DEFAULT_PORT, 1, 65_500)
    names = ("internal", "edge", "dns", "demo")
    others = {
        f"{name}_port": reader.number(f"PORTAL_{name.upper()}_PORT", port + step, 1, 65_535)
        for step, name in enumerate(names, start=1)
    }
    return {"port": port, **others}


def _domains(
    reader: _Reader, environment: Environment, values: Mapping[str, object]
) -> dict[str, object]:
    root = reader.environ.get("PORTAL_ROOT_DOMAIN", "localhost" if environment.is_local else "")
    if not root:
        reader.problems.append("PORTAL_ROOT_DOMAIN is missing; it is the domain you own.")
    found: dict[str, object] = {"root_domain": root}
    for name in _OVERRIDABLE:
        pattern = getattr(environment, name).format(root=root, port=values["port"])
        found[name] = value = reader.environ.get(f"PORTAL_{name.upper()}", pattern).lower()
        if root and not _DOMAIN.match(str(value)):
            reader.problems.append(f"PORTAL_{name.upper()} is {value!r}, which is not a domain.")
    return found


def _issuer(reader: _Reader, environment: Environment) -> dict[str, object]:
    """Who issues certificates; only the chosen one's settings are looked at."""
    kind = reader.environ.get("PORTAL_ISSUER") or environment.issuer
    roots = reader.environ.get("PORTAL_CERTIFICATE_ROOTS_FILE", "")
    reader.problems += file_problems("PORTAL_CERTIFICATE_ROOTS_FILE", roots)
    found: dict[str, object] = {"issuer": kind, "certificate_roots_file": roots}
    if kind not in ISSUERS:
        known = ", ".join(ISSUERS)
        reader.problems.append(f"PORTAL_ISSUER is {kind!r}; it must be one of {known}.")
    elif kind == "acme":
        secret = reader.secret("PORTAL_ACME_EAB_KEY", None, required=False)
        can_edit = reader.environ.get("PORTAL_ZONE_EDITOR", environment.zone_editor) != "manual"
        found["acme"] = acme_settings(reader.environ, secret, can_edit, reader.problems)
    elif kind == "cert_manager":
        found["kubernetes"] = kubernetes_settings(reader.environ, reader.problems)
    return found


def _stores(reader: _Reader, environment: Environment) -> dict[str, object]:
    data_dir = Path(reader.environ.get("PORTAL_DATA_DIR", "data")).absolute()
    database_url = reader.environ.get("DATABASE_URL", "")
    if database_url.startswith(("postgres://", "postgresql://")):
        database_url = "postgresql+psycopg://" + database_url.partition("://")[2]
    return {
        "data_dir": data_dir,
        "database_url": database_url or f"sqlite:///{data_dir / 'portal.sqlite3'}",
        "redis_url": reader.environ.get("REDIS_URL", ""),
    }


_SECRETS: dict[str, Callable[[str], object]] = {
    "secret_key": str,
    "encryption_keys": lambda text: tuple(text.split()),
    "internal_token": str,
    "tsig_secret": str,
}


def _file_of_keys(reader: _Reader, environment: Environment, data_dir: Path) -> Path | None:
    """The file that is ours to change; None where the operator gives the keys."""
    named = ("PORTAL_ENCRYPTION_KEYS", "PORTAL_ENCRYPTION_KEYS_FILE")
    if not environment.is_local or any(reader.environ.get(name) for name in named):
        return None
    return data_dir / "secrets" / "encryption_keys"


def keys_in(file: Path) -> tuple[str, ...]:
    """The encryption keys in a file, () if it cannot be read now."""
    try:
        return tuple(file.read_text().split())
    except OSError:
        return ()


def _secrets(reader: _Reader, environment: Environment, data_dir: Path) -> dict[str, object]:
    """In local they live in the data folder, made by `prepare`; elsewhere they are given."""
    found: dict[str, object] = {}
    for name, parse in _SECRETS.items():
        file = data_dir / "secrets" / name if environment.is_local else None
        required = not environment.is_local and name != "tsig_secret"
        found[name] = parse(reader.secret(f"PORTAL_{name.upper()}", file, required))
        if required and name == "secret_key" and 0 < len(str(found[name])) < 32:
            reader.problems.append("PORTAL_SECRET_KEY is too short; use at least 32 characters.")
    found["encryption_keys_file"] = _file_of_keys(reader, environment, data_dir)
    for name in ("admin_password", "smtp_url"):
        found[name] = reader.secret(f"PORTAL_{name.upper()}", None, required=False)
    if not environment.is_local and 0 < len(str(found["admin_password"])) < SHORTEST_PASSWORD:
        reader.problems.append(
            f"PORTAL_ADMIN_PASSWORD is too short; use at least {SHORTEST_PASSWORD} characters."
        )
    if found["smtp_url"] and not str(found["smtp_url"]).startswith(("smtp://", "smtps://")):
        reader.problems.append("PORTAL_SMTP_URL must begin with smtp:// or smtps://.")
    return found
