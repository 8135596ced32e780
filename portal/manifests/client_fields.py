"""The fields of LLMClient, in the order of the mission; `CONFIGURATION` are those of a revision."""

from __future__ import annotations

from portal.llm_clients.models import LLMClient, LLMClientFunctions
from portal.manifests.fields import Field, Types, metadata, status

_DNS = tuple(str(one) for one in LLMClient.DnsVerificationStatusChoices)
_TLS = tuple(str(one) for one in LLMClient.TlsCertificateIssuanceStatusChoices)

# Names in a manifest, and the columns that a revision has of them.
CONFIGURATION = {
    "description": "description",
    "version": "version",
    "tags": "tags",
    "annotations": "annotations",
    "provider": "provider",
    "defaultModel": "default_model",
    "fallbackProvider": "fallback_provider",
    "fallbackModel": "fallback_model",
    "defaultSystemRole": "default_system_role",
    "defaultTemperature": "default_temperature",
    "defaultMaxTokens": "default_max_tokens",
    "appName": "app_name",
    "appAssistant": "app_assistant",
    "appWelcomeMessage": "app_welcome_message",
    "appExamplePrompts": "app_example_prompts",
    "appPlaceholder": "app_placeholder",
    "appInfoUrl": "app_info_url",
    "appBackgroundImageUrl": "app_background_image_url",
    "appLogoUrl": "app_logo_url",
    "appBackgroundUpload": "app_background_upload",
    "appLogoUpload": "app_logo_upload",
    "appFileAttachment": "app_file_attachment",
    "functions": "functions",
}


def _own(name: str, about: str, type: Types = Types.STRING, choices: tuple[str, ...] = ()) -> Field:
    """A setting that the client's form has."""
    return Field(name, about, type, form=CONFIGURATION[name], choices=choices)


FIELDS = (
    metadata("name", "Starts with a letter; it becomes part of the address.", form="name"),
    metadata("owner", "User name of whose client it is; with the name it says which is meant."),
    metadata("description", "What it is for.", form="description"),
    metadata("version", "A semantic version such as 1.0.0.", form="version"),
    metadata("tags", "Words to sort clients by.", Types.STRINGS, form="tags"),
    metadata("annotations", "Anything that your programs read.", Types.OBJECT, form="annotations"),
    _own("provider", "Name of a provider of the account."),
    _own("defaultModel", "Name of the model; empty takes the provider’s default."),
    _own("fallbackProvider", "Who answers when the provider fails; empty for nobody."),
    _own("fallbackModel", "Model of the fallback provider."),
    _own("defaultSystemRole", "What the model is told before every conversation."),
    _own("defaultTemperature", "How freely it answers.", Types.NUMBER),
    _own("defaultMaxTokens", "The longest answer; at most what the model gives.", Types.INTEGER),
    _own("appName", "Title of the chat page."),
    _own("appAssistant", "What the assistant is called."),
    _own("appWelcomeMessage", "The first words of every chat."),
    _own("appExamplePrompts", "Questions to choose from, six at most.", Types.STRINGS),
    _own("appPlaceholder", "Words in the empty input field."),
    _own("appInfoUrl", "Where the information button leads."),
    _own("appBackgroundImageUrl", "Address of a background image."),
    _own("appLogoUrl", "Address of a logo."),
    Field("appBackgroundUpload", "SHA-256 of an Image, which goes before the address."),
    Field("appLogoUpload", "SHA-256 of an Image, which goes before the address."),
    _own("appFileAttachment", "Whether visitors may attach files.", Types.BOOLEAN),
    _own(
        "functions",
        f"Built-in functions: {', '.join(str(one) for one in LLMClientFunctions.Choices)}.",
        Types.STRINGS,
    ),
    Field("plugins", "Names of plugins of the account, in their order.", Types.STRINGS),
    Field("allowedOrigins", "Pages that may use it; empty for all.", Types.STRINGS),
    Field("customDomain", "A custom domain of the account; empty for none."),
    Field("usesBareDomain", "Also answers at the domain’s bare name.", Types.BOOLEAN),
    Field("deployed", "Whether it is deployed; a change begins a run.", Types.BOOLEAN),
    status("id", "Its number.", Types.INTEGER),
    status("hashedId", "Its name in addresses."),
    status("deployed", "Whether visitors are let in.", Types.BOOLEAN),
    status("ready", "Deployed, DNS verified and certificate issued.", Types.BOOLEAN),
    status("dnsVerificationStatus", "Whether its hosts lead to the portal.", choices=_DNS),
    status("tlsCertificateIssuanceStatus", "Where its certificate stands.", choices=_TLS),
    status("isPublic", "No valid API key is attached: anybody may use it.", Types.BOOLEAN),
    status("newestRevision", "Number of the newest revision.", Types.INTEGER),
    status(
        "publishedRevision",
        "Number of the revision that visitors get.",
        Types.INTEGER,
        is_nullable=True,
    ),
    status("defaultHost", "Its host on the platform’s domain."),
    status("defaultUrl", "The address of that host."),
    status("customHost", "Its host on the custom domain.", is_nullable=True),
    status("customUrl", "The address of that host.", is_nullable=True),
    status("sandboxUrl", "Where it is tried."),
    status("manifestUrl", "This manifest."),
    status("urlLlmClient", "Where prompts are sent."),
    status("urlChatConfig", "Where the chat component asks for its configuration."),
    status("hasUploadedImages", "Whether it shows images of its own.", Types.BOOLEAN),
    status("createdAt", "When it was made."),
    status("updatedAt", "When it was changed."),
)
