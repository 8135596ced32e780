"""Those who serve the models of others."""

from portal.llm_providers.catalogue.vendor import Model, Vendor

HOSTS: tuple[Vendor, ...] = (
    Vendor(
        "fireworks",
        "Fireworks AI",
        "https://api.fireworks.ai/inference/v1",
        "accounts/fireworks/models/gpt-oss-120b",
        (
            Model("accounts/fireworks/models/gpt-oss-120b", 131_072, 32_768, 150_000, 600_000),
            Model("accounts/fireworks/models/glm-5p3", 1_048_573, 262_144, 1_400_000, 4_400_000),
            Model("accounts/fireworks/models/kimi-k2p6", 262_000, 262_000, 950_000, 4_000_000),
        ),
        about="Open models",
        source="https://docs.fireworks.ai/serverless/pricing",
        noted_on="2026-08-29",
    ),
    Vendor(
        "together",
        "Together AI",
        "https://api.together.xyz/v1",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        (
            Model("meta-llama/Llama-3.3-70B-Instruct-Turbo", 131_072, 8_192, 1_040_000, 1_040_000),
            Model("zai-org/GLM-5.3", 1_048_575, 262_144, 1_400_000, 4_400_000),
            Model("deepseek-ai/DeepSeek-V4-Pro-0813", 0, 0, 1_320_000, 3_960_000),
            Model("moonshotai/Kimi-K3", 0, 0, 3_000_000, 15_000_000),
        ),
        about="Open models",
        source="https://www.together.ai/pricing",
        noted_on="2026-09-07",
    ),
    Vendor(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        "openai/gpt-oss-120b",
        (
            Model("openai/gpt-oss-120b", 131_072, 65_536, 150_000, 600_000),
            Model("openai/gpt-oss-20b", 131_072, 65_536, 75_000, 300_000),
            Model("qwen/qwen3.8-27b", 131_042, 16_384, 800_000, 4_000_000),
            Model("llama-3.3-70b-versatile", 131_072, 32_768, 590_000, 790_000, "2026-08-05"),
            Model("llama-3.1-8b-instant", 131_072, 131_072, 50_000, 80_000, "2026-08-05"),
        ),
        about="Open models, answered fast",
        source="https://console.groq.com/docs/models",
        noted_on="2026-09-07",
    ),
    Vendor(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        "openrouter/auto",
        (Model("openrouter/auto"),),
        about="The models of many vendors with one key",
        source="https://openrouter.ai/models",
        noted_on="2026-11-27",
        remark="Its prices are those of the vendor that answers; enter your own.",
        lists_without_key=True,
    ),
)
