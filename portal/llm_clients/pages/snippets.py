"""Ready code for pages and programs that use a client, with its real address. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

KEY_PLACEHOLDER = "YOUR_API_KEY"
QUESTION = "Where do I begin?"


@dataclass(frozen=True)
class Snippet:
    """One piece of code to copy; `hint` says where it goes."""

    name: str
    title: str
    hint: str
    text: str


@dataclass(frozen=True)
class Address:
    """A client as code names it: its base URL without a final slash, its name, its title."""

    url: str
    name: str
    title: str
    needs_key: bool

    @property
    def key(self) -> str:
        """What code has in the key's place; SDKs want some text where none is needed."""
        return KEY_PLACEHOLDER if self.needs_key else "none"


def for_pages(address: Address) -> list[Snippet]:
    """What goes into a page."""
    return [_floating(address), _inline(address), _iframe(address), _react(address)]


def for_programs(address: Address) -> list[Snippet]:
    """What goes into a program or a terminal."""
    return [_curl(address), _python(address), _javascript(address)]


def _floating(address: Address) -> Snippet:
    label = escape(f"Chat with {address.title}")
    text = (
        f'<script src="{address.url}/embed.js" data-mode="floating"\n'
        f'  data-label="{label}" data-position="bottom-right" defer></script>'
    )
    hint = "Before </body>. A button in the corner opens the chat in a panel."
    return Snippet("floating", "Widget, floating", hint, text)


def _inline(address: Address) -> Snippet:
    text = (
        '<div id="chat"></div>\n'
        f'<script src="{address.url}/embed.js" data-mode="inline"\n'
        f'  data-target="#chat" data-label="{escape(address.title)}" defer></script>'
    )
    return Snippet("inline", "Widget, inline", "The chat fills the element that is named.", text)


def _iframe(address: Address) -> Snippet:
    text = (
        f'<iframe src="{address.url}/embed" title="{escape(address.title)}"\n'
        '  width="400" height="640" allow="clipboard-write"></iframe>'
    )
    return Snippet("iframe", "Frame", "Where no script is wanted.", text)


def _react(address: Address) -> Snippet:
    note = f"// Behind Bearer goes the cookie portal_key: {KEY_PLACEHOLDER}\n"
    text = (
        'import { SmarterChat } from "@smarter.sh/ui-chat";\n'
        'import "@smarter.sh/ui-chat/dist/ui-chat.css";\n\n'
        f"{note if address.needs_key else ''}"
        "<SmarterChat\n"
        f"  apiUrl={_quoted(address.url + '/')}\n"
        '  apiKey=""\n'
        "  toggleMetadata={false}\n"
        '  csrfCookieName="csrftoken"\n'
        '  csrftoken=""\n'
        '  debugCookieName="debug"\n'
        "  debugCookieExpiration={60000}\n"
        "  debugMode={false}\n"
        '  sessionCookieName="session_key"\n'
        "  sessionCookieExpiration={86400000}\n"
        '  authSessionCookieName="portal_key"\n'
        "  cookieDomain={location.hostname}\n"
        "  showConsole={false}\n"
        "/>"
    )
    hint = "npm install @smarter.sh/ui-chat, version 0.3.0."
    return Snippet("react", "React chat component", hint, text)


def _curl(address: Address) -> Snippet:
    body = {"model": address.name, "messages": [{"role": "user", "content": QUESTION}]}
    key = f'  -H "Authorization: Bearer {KEY_PLACEHOLDER}" \\\n' if address.needs_key else ""
    text = (
        f"curl {address.url}/v1/chat/completions \\\n{key}"
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{json.dumps(body)}'"
    )
    return Snippet("curl", "curl", "In a terminal.", text)


def _python(address: Address) -> Snippet:
    text = (
        "from openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{address.url}/v1", api_key="{address.key}")\n'
        "answer = client.chat.completions.create(\n"
        f"    model={_quoted(address.name)},\n"
        f'    messages=[{{"role": "user", "content": "{QUESTION}"}}],\n'
        ")\n"
        "print(answer.choices[0].message.content)"
    )
    return Snippet("python", "Python", "pip install openai", text)


def _javascript(address: Address) -> Snippet:
    text = (
        'import OpenAI from "openai";\n\n'
        "const client = new OpenAI({\n"
        f'  baseURL: "{address.url}/v1",\n'
        f'  apiKey: "{address.key}",\n'
        "});\n"
        "const answer = await client.chat.completions.create({\n"
        f"  model: {_quoted(address.name)},\n"
        f'  messages: [{{ role: "user", content: "{QUESTION}" }}],\n'
        "});\n"
        "console.log(answer.choices[0].message.content);"
    )
    return Snippet("javascript", "JavaScript", "npm install openai", text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
