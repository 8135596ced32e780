"""Composition: four applications over one private builder; `dispatching.py` chooses."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask
from redis import Redis
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import (
    adapters,
    caching,
    database,
    frame,
    job_queue,
    limits,
    request_history,
    vault,
    web,
)
from portal.adapters import Adapters
from portal.api import page_views as api_page
from portal.api import plane as api_plane
from portal.audit_log import check_jobs as audit_check_jobs
from portal.audit_log import jobs as audit_jobs
from portal.audit_log import views as audit_log
from portal.certificates import jobs as certificate_jobs
from portal.certificates import seen_jobs
from portal.certificates.accounts import StoredAuthorityAccounts
from portal.custom_domains import jobs as custom_domain_jobs
from portal.domain_setup import (
    clients_views,
    link_views,
    mail_views,
    publishing_views,
)
from portal.domain_setup import jobs as domain_jobs
from portal.domain_setup import views as custom_domains
from portal.history_exports import jobs as export_jobs
from portal.history_exports import views as history_exports
from portal.history_keeping import jobs as history_jobs
from portal.history_keeping import views as history_keeping
from portal.history_pages import detail_views as history_detail_views
from portal.history_pages import saved_views, sessions_views
from portal.history_pages import views as history
from portal.history_search import jobs as search_jobs
from portal.job_queue import Doorbell, SilentDoorbell
from portal.limits import jobs as limit_jobs
from portal.limits import views as limits_views
from portal.llm_clients import saving, signals
from portal.llm_clients.deployment import jobs, tls_status
from portal.llm_clients.pages import (
    api_keys_views,
    certificates_views,
    deployment_views,
    embed_views,
    keys_views,
    plugins_views,
)
from portal.llm_clients.pages import images_views as images_pages_views
from portal.llm_clients.pages import limits_views as client_limits_views
from portal.llm_clients.pages import views as llm_clients
from portal.manifests import serving_views as serving_manifests
from portal.manifests import views as manifests
from portal.notifications import (
    budget_jobs,
    certificate_notices,
    domain_notices,
    outbox_views,
    preference_views,
    rounds,
    webhook_jobs,
    webhook_views,
)
from portal.notifications import certificate_jobs as expiry_jobs
from portal.notifications import jobs as notification_jobs
from portal.notifications import views as notifications
from portal.overview import client_views as client_usage_views
from portal.overview import provider_views as provider_usage_views
from portal.overview import views as overview
from portal.people import (
    disabling_views,
    first_password_views,
    invitation_views,
    linking_views,
    own_views,
    passkey_views,
    password_views,
    second_factor_views,
    second_step_views,
    session_views,
    settings_views,
    sign_on_views,
    switching_views,
    token_views,
    users_views,
    who_asks,
)
from portal.people import jobs as people_jobs
from portal.people import views as accounts
from portal.plugins import jobs as plugin_jobs
from portal.plugins import views as plugins
from portal.providers import jobs as provider_jobs
from portal.providers import views as providers
from portal.serving import (
    answers_views,
    cross_origin,
    edge,
    edge_memory,
    embedding,
    error_answers,
    identity_views,
    images_views,
    openai_api,
    proofs_views,
    workbench,
)
from portal.serving import views as serving
from portal.settings import Settings, keys_in
from portal.system import jobs as system_jobs
from portal.system import views as system
from portal.vault import jobs as vault_jobs
from portal.vault import secrets_views

# Imported for what they register: tables, routes, jobs, methods, signals.
REGISTERED = (
    answers_views,
    audit_check_jobs,
    audit_jobs,
    budget_jobs,
    client_limits_views,
    client_usage_views,
    clients_views,
    custom_domain_jobs,
    domain_jobs,
    limit_jobs,
    certificate_jobs,
    certificate_notices,
    seen_jobs,
    certificates_views,
    deployment_views,
    disabling_views,
    domain_notices,
    embed_views,
    expiry_jobs,
    history_detail_views,
    export_jobs,
    images_pages_views,
    images_views,
    invitation_views,
    jobs,
    keys_views,
    linking_views,
    mail_views,
    notification_jobs,
    outbox_views,
    own_views,
    passkey_views,
    password_views,
    people_jobs,
    plugin_jobs,
    plugins_views,
    preference_views,
    provider_jobs,
    second_factor_views,
    second_step_views,
    provider_usage_views,
    publishing_views,
    saved_views,
    saving,
    session_views,
    rounds,
    sign_on_views,
    signals,
    history_jobs,
    search_jobs,
    system_jobs,
    tls_status,
    vault_jobs,
    webhook_jobs,
    webhook_views,
    token_views,
)


def create_admin_app(settings: Settings, outside: Adapters | None = None) -> Flask:
    """The plane for people with a session: pages, forms, sign-in."""
    app = _create_app(settings, outside)
    web.login_manager.init_app(app)
    web.login_manager.session_protection = None
    web.csrf.init_app(app)
    web.install_error_pages(app)
    who_asks.init_app(app)
    app.before_request(web.refuse_foreign_forms)
    app.after_request(web.note_refusal)
    app.before_request(web.check_permission)
    app.before_request(first_password_views.lead_to_choice)
    app.before_request(second_factor_views.lead_to_enrolment)
    for blueprint in (
        accounts.blueprint,
        users_views.blueprint,
        settings_views.blueprint,
        switching_views.blueprint,
        overview.blueprint,
        llm_clients.blueprint,
        custom_domains.blueprint,
        link_views.blueprint,
        workbench.blueprint,
        history.blueprint,
        sessions_views.blueprint,
        history_exports.blueprint,
        history_keeping.blueprint,
        providers.blueprint,
        plugins.blueprint,
        secrets_views.blueprint,
        api_keys_views.blueprint,
        limits_views.blueprint,
        manifests.blueprint,
        api_page.blueprint,
        notifications.blueprint,
        audit_log.blueprint,
        system.blueprint,
    ):
        app.register_blueprint(blueprint)
    app.context_processor(frame.values)
    return app


def create_serving_app(settings: Settings, outside: Adapters | None = None) -> Flask:
    """The plane for visitors and programs: no sign-in, no session, no CSRF cookie."""
    app = _create_app(settings, outside)
    app.session_interface = web.NoSession()
    app.register_blueprint(serving.blueprint)
    app.register_blueprint(embedding.blueprint)
    app.register_blueprint(openai_api.blueprint)
    app.register_blueprint(proofs_views.blueprint)
    app.register_blueprint(identity_views.blueprint)
    app.register_blueprint(serving_manifests.blueprint)
    cross_origin.init_app(app)
    error_answers.init_app(app)
    return app


def create_api_app(settings: Settings, outside: Adapters | None = None) -> Flask:
    """The plane for programs of the account's people: a token with every request, no cookies."""
    app = _create_app(settings, outside)
    app.after_request(web.note_refusal)
    api_plane.init_app(app)
    return app


def create_internal_app(settings: Settings, outside: Adapters | None = None) -> Flask:
    """The plane for the TLS edge and probes, bound to loopback or a private name."""
    app = _create_app(settings, outside)
    app.register_blueprint(edge.blueprint)
    edge_memory.init_app(app)
    return app


def create_worker_app(settings: Settings, outside: Adapters | None = None) -> Flask:
    """For the worker, the clock and commands: everything but routes."""
    return _create_app(settings, outside)


class _Application(Flask):
    def ensure_sync(self, func: Any) -> Any:
        """No function of ours is a coroutine, so Flask need not look at each before each call."""
        return func


def _create_app(settings: Settings, outside: Adapters | None) -> Flask:
    app = _Application("portal", root_path=str(web.STATIC.parent), static_url_path="/static")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=web.LONGEST_BODY,
        MAX_FORM_MEMORY_SIZE=web.LONGEST_BODY,
        SESSION_COOKIE_NAME="portal_session" if settings.is_local else "__Host-portal_session",
        SESSION_COOKIE_SECURE=settings.scheme == "https",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.url_map.converters.update(
        public_id=web.PublicId,
        row_id=web.RowId,
        digest=web.Digest,
        proof_token=web.ProofToken,
        setup_token=web.SetupToken,
        link_token=web.LinkToken,
    )
    redis = job_queue.connect_redis(settings.redis_url) if settings.redis_url else None
    database.init_app(app, settings)
    caching.init_app(app, redis)
    job_queue.init_app(app, _doorbell(redis))
    keys_file = settings.encryption_keys_file
    read_keys = partial(keys_in, keys_file) if keys_file else None
    vault.init_app(app, settings.encryption_keys, read_keys)
    adapters.init_app(app, outside or adapters.build(settings, StoredAuthorityAccounts()))
    limits.init_app(app, redis)
    request_history.init_app(app)
    web.install_filters(app)
    app.before_request(web.prepare_request)
    app.after_request(web.add_headers)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return app


def _doorbell(redis: Redis | None) -> Doorbell | SilentDoorbell:
    return Doorbell(redis) if redis is not None else SilentDoorbell()
