"""The vendors that an account can choose from, as data. All speak the OpenAI chat protocol.

Prices change: an account can overwrite every number here, and its history keeps the price it paid.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """One model. Limits in tokens, 0 where unknown.

    Prices are micro-units of the vendor's currency (US dollars) for a million tokens, so that
    2_500_000 reads 2.50 dollars a million.
    """

    name: str
    context_tokens: int = 0
    max_output_tokens: int = 0
    input_price: int = 0
    output_price: int = 0


@dataclass(frozen=True)
class Vendor:
    """Where a vendor listens and what is particular about it.

    An empty `base_url` is one that the account or the portal's own settings must give.
    """

    name: str
    label: str
    base_url: str
    default_model: str
    models: tuple[Model, ...]
    needs_key: bool = True
    private_address: bool = False
    answer_limit_field: str = "max_tokens"
    stream_usage: bool = True
    is_free: bool = False
    noted_on: str = ""

    def model(self, name: str) -> Model | None:
        """The model by its name, where the catalogue knows it."""
        return next((model for model in self.models if model.name == name), None)


VENDORS: tuple[Vendor, ...] = (
    Vendor(
        "demo",
        "Demo (answers without a model)",
        "",
        "demo",
        (Model("demo", 128_000, 4_096),),
        needs_key=False,
        private_address=True,
        is_free=True,
    ),
    Vendor(
        "openai",
        "OpenAI",
        "https://api.openai.com/v1",
        "gpt-4o-mini",
        (
            Model("gpt-4o-mini", 128_000, 16_384, 150_000, 600_000),
            Model("gpt-4o", 128_000, 16_384, 2_500_000, 10_000_000),
            Model("gpt-4.1", 1_047_576, 32_768, 2_000_000, 8_000_000),
            Model("gpt-4.1-mini", 1_047_576, 32_768, 400_000, 1_600_000),
            Model("gpt-4.1-nano", 1_047_576, 32_768, 100_000, 400_000),
        ),
        answer_limit_field="max_completion_tokens",
    ),
    Vendor(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com/v1",
        "claude-sonnet-4-5",
        (
            Model("claude-sonnet-4-5", 200_000, 64_000, 3_000_000, 15_000_000),
            Model("claude-haiku-4-5", 200_000, 64_000, 1_000_000, 5_000_000),
            Model("claude-opus-4-1", 200_000, 32_000, 15_000_000, 75_000_000),
        ),
    ),
    Vendor(
        "google",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "gemini-2.5-flash",
        (
            Model("gemini-2.5-flash", 1_048_576, 65_536, 300_000, 2_500_000),
            Model("gemini-2.5-flash-lite", 1_048_576, 65_536, 100_000, 400_000),
            Model("gemini-2.5-pro", 1_048_576, 65_536, 1_250_000, 10_000_000),
        ),
    ),
    Vendor(
        "mistral",
        "Mistral AI",
        "https://api.mistral.ai/v1",
        "mistral-small-latest",
        (
            Model("mistral-small-latest", 128_000, 0, 100_000, 300_000),
            Model("mistral-medium-latest", 128_000, 0, 400_000, 2_000_000),
            Model("mistral-large-latest", 128_000, 0, 2_000_000, 6_000_000),
        ),
        stream_usage=False,
    ),
    Vendor(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        "llama-3.3-70b-versatile",
        (
            Model("llama-3.3-70b-versatile", 131_072, 32_768, 590_000, 790_000),
            Model("llama-3.1-8b-instant", 131_072, 131_072, 50_000, 80_000),
        ),
    ),
    Vendor(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com/v1",
        "deepseek-chat",
        (
            Model("deepseek-chat", 128_000, 8_192, 280_000, 420_000),
            Model("deepseek-reasoner", 128_000, 65_536, 280_000, 420_000),
        ),
    ),
    Vendor(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        "openrouter/auto",
        (Model("openrouter/auto"),),
    ),
    Vendor(
        "together",
        "Together AI",
        "https://api.together.xyz/v1",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        (Model("meta-llama/Llama-3.3-70B-Instruct-Turbo", 131_072, 0, 880_000, 880_000),),
    ),
    Vendor(
        "fireworks",
        "Fireworks AI",
        "https://api.fireworks.ai/inference/v1",
        "accounts/fireworks/models/llama-v3p3-70b-instruct",
        (Model("accounts/fireworks/models/llama-v3p3-70b-instruct", 131_072, 0, 900_000, 900_000),),
    ),
    Vendor(
        "ollama",
        "Ollama (on your own machine)",
        "http://127.0.0.1:11434/v1",
        "llama3.2",
        (Model("llama3.2", 131_072), Model("qwen3", 40_960), Model("gemma3", 131_072)),
        needs_key=False,
        private_address=True,
        is_free=True,
    ),
)


def vendor_named(name: str) -> Vendor | None:
    """The vendor by its name, None for an unknown one."""
    return next((vendor for vendor in VENDORS if vendor.name == name), None)
