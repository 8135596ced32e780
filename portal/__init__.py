"""Accounts own llm_clients, which may carry custom_domains; serving answers prompts and
request_history remembers them; dns, tls and llm_providers are how we reach the outside.

Arrows point down (tests/test_architecture.py reads the imports):

    app, worker, background, commands, cli, wsgi    compose everything
    dispatching, frame                          which plane answers; what stands around a page
    table_commands                              the tables alone, for what must stay small
    api                                         the same as JSON, for people's programs
    manifests                                   the account's things as texts, applied and exported
    domain_setup                                custom domains on pages, the set-up link
    overview, notifications, audit_log          the first page, the outbox, who did what
    history_pages                               requests and sessions on pages
    serving                                     the public plane, and the sandbox
    history_keeping                             how long what was asked is kept
    history_exports                             what was asked, as a file
    history_search                              finding what was asked
    request_history                             what was asked
    llm_clients                                 the thing itself, its deployment, its pages
    plugins, custom_domains, certificates       what a client may use, and where it lives
    limits, people                              how often and for how much; ways in, teams
    usage                                       sums of what was asked, by hour
    providers                                   who answers, and their keys
    notices                                     what people are told
    vault, accounts, system                     keys, secrets, people, the machine room
    adapters                                    the outside, built from settings
    quick_statements                            SQL made once, for what every prompt writes
    web, job_queue, caching, database           Flask, RQ, Redis, SQLAlchemy, each behind a door
    quick_redis                                 the same Redis, for what every prompt asks
    functions, open_id, fetching                what models may call; sign-on; one question
    dns, tls, llm_providers, smtp, outgoing     the outside, knowing nothing of us
    charts                                      bars, lines, tiles as values, not yet drawn
    settings, issuer_settings, sign_on_settings   from outside, read once
    service_urls                                whether a service is reached by TLS
    errors, formatting, off_loop, log_lines     nothing else

Start reading at `llm_clients/deployment/runs.py`: it is the heart.
"""

__version__ = "0.1.0"
