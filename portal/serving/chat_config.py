"""The two answers that the embedded chat component reads; their shape is that component's."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

from portal.database import current_settings
from portal.llm_providers import ChatAnswer
from portal.serving.chat_images import addresses_of
from portal.serving.prompting import Exchange
from portal.serving.served import Served

AS_HTML = (
    "provider",
    "default_model",
    "default_temperature",
    "default_max_tokens",
    "app_welcome_message",
    "app_example_prompts",
    "app_file_attachment",
)
# The component shows these as text, so that `&amp;` would be read; no tag can begin in them.
AS_TEXT = ("app_name", "app_assistant", "app_placeholder")
AS_ADDRESS = ("app_info_url", "app_background_image_url", "app_logo_url")
_NOT_IN_ADDRESSES = str.maketrans({letter: quote(letter, safe="") for letter in "<>\"'() \\"})
_STRANGE_LINK = re.compile(r"\]\((?!(?:https?://|mailto:)[^\s\"'`)]*\))", re.IGNORECASE)
API = "portal/v1"


def escaped(value: Any) -> Any:
    """Texts for a page that inserts them as HTML, lists and all.

    `& < >` are escaped. The component makes links of Markdown's, whatever their address: one that
    is neither plain web nor mail is kept from being a link.
    """
    if isinstance(value, str):
        return _STRANGE_LINK.sub("]&#40;", html.escape(value, quote=False))
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value


def _without_tags(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _web_address(text: str) -> str:
    """An http or https address whose quotes and brackets end no attribute; else nothing."""
    if not text.lower().startswith(("https://", "http://")):
        return ""
    return text.translate(_NOT_IN_ADDRESSES)


def config_answer(
    served: Served, key: str, thread: list[dict[str, str]], url_chatbot: str
) -> dict[str, Any]:
    """Everything here is public to the visitor; role and data of the client stay inside."""
    content = {**served.content, **addresses_of(served, current_settings().url_of(served.hostname))}
    chatbot = {name: escaped(content.get(name)) for name in AS_HTML}
    chatbot.update({name: _without_tags(content.get(name) or "") for name in AS_TEXT})
    chatbot.update({name: _web_address(content.get(name) or "") for name in AS_ADDRESS})
    chatbot["app_example_prompts"] = escaped(content.get("app_example_prompts") or [])
    chatbot.update(
        id=served.client_id,
        name=served.name,
        version=content.get("version", ""),
        description="",
        default_system_role="",
        url_chatbot=url_chatbot,
    )
    data = {
        "session_key": key,
        "sandbox_mode": False,
        "debug_mode": False,
        "chatbot": chatbot,
        "history": {
            "chat_history": escaped(thread),
            "chatbot_request_history": [],
            "chat_tool_call_history": [],
            "chat_plugin_usage_history": [],
            "plugin_selector_history": [],
        },
        "meta_data": {"is_valid": True, "is_deployed": served.is_open},
        "plugins": {"meta_data": {"total_plugins": 0, "plugins_returned": 0}, "plugins": []},
        "functions": {},
    }
    return {"data": data, "api": API, "metadata": _metadata("chat_config", served)}


def prompt_answer(served: Served, exchange: Exchange) -> dict[str, Any]:
    """An answer, or the sentence that the visitor should read instead of one."""
    answered = exchange.answered
    body = _completion(exchange, answered.answer) if answered else _error_body(exchange)
    data = {
        "isBase64Encoded": False,
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body, ensure_ascii=False),
    }
    return {"data": data, "api": API, "metadata": _metadata("prompt", served)}


def _metadata(command: str, served: Served) -> dict[str, str]:
    return {"command": command, "thing": served.name}


def _completion(exchange: Exchange, answer: ChatAnswer) -> dict[str, Any]:
    message = {"role": "assistant", "content": escaped(answer.text)}
    return {
        **_body(exchange, [message]),
        "choices": [{"index": 0, "finish_reason": answer.finish_reason, "message": message}],
        "usage": {
            "prompt_tokens": answer.tokens_in,
            "completion_tokens": answer.tokens_out,
            "total_tokens": answer.tokens_in + answer.tokens_out,
        },
    }


def _error_body(exchange: Exchange) -> dict[str, Any]:
    sentence = exchange.refusal.message if exchange.refusal else ""
    message = {"role": "smarter", "content": escaped(sentence)}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    error = {"smarter_error": {"message": escaped(sentence)}}
    return {**_body(exchange, [message]), "choices": [], "usage": usage, **error}


def _body(exchange: Exchange, messages: list[dict[str, str]]) -> dict[str, Any]:
    request = exchange.request
    return {
        "id": f"chatcmpl-{exchange.question.request_id}",
        "object": "chat.completion",
        "created": int(exchange.question.asked_at.timestamp()),
        "model": request.model,
        "metadata": {
            "tool_calls": None,
            "model": request.model,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "input_text": escaped(exchange.question.message),
        },
        "smarter": {"messages": messages, "plugins": [], "tools": []},
    }
