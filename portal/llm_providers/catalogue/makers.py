"""Those who make models and serve them themselves."""

from portal.llm_providers.catalogue.vendor import Model, Vendor

LONG_PROMPTS = "Prompts of more than 272,000 tokens cost more than noted here."

MAKERS: tuple[Vendor, ...] = (
    Vendor(
        "openai",
        "OpenAI",
        "https://api.openai.com/v1",
        "gpt-6-luna",
        (
            Model("gpt-6-luna", 1_050_000, 128_000, 100_000, 500_000, "2026-09-23", True),
            Model("gpt-6-sol", 1_050_000, 128_000, 2_000_000, 10_000_000, "2026-09-23", True),
            Model(
                "gpt-6-astra", 1_050_000, 128_000, 10_000_000, 50_000_000, fixed_temperature=True
            ),
            Model("gpt-5.6-luna", 1_050_000, 128_000, 200_000, 1_200_000, fixed_temperature=True),
            Model(
                "gpt-5.6-terra", 1_050_000, 128_000, 2_000_000, 12_000_000, fixed_temperature=True
            ),
            Model("gpt-5.6-sol", 1_050_000, 128_000, 4_000_000, 20_000_000, fixed_temperature=True),
            Model("gpt-4.1", 1_047_576, 32_768, 2_000_000, 8_000_000),
            Model("gpt-4.1-mini", 1_047_576, 32_768, 400_000, 1_600_000),
            Model("gpt-4.1-nano", 1_047_576, 32_768, 100_000, 400_000),
            Model("gpt-4o", 128_000, 16_384, 2_500_000, 10_000_000),
            Model("gpt-4o-mini", 128_000, 16_384, 150_000, 600_000),
        ),
        about="GPT models",
        source="https://developers.openai.com/api/docs/pricing",
        noted_on="2026-09-07",
        remark=f"{LONG_PROMPTS} OpenAI ends gpt-4o and gpt-4.1 on 14 January 2027.",
        answer_limit_field="max_completion_tokens",
    ),
    Vendor(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com/v1",
        "claude-sonnet-5",
        (
            Model("claude-sonnet-5", 1_000_000, 128_000, 2_000_000, 10_000_000),
            Model("claude-haiku-4-5", 200_000, 64_000, 1_000_000, 5_000_000),
            Model("claude-opus-5-5", 0, 0, 4_000_000, 20_000_000, "2026-09-23", True),
            Model(
                "claude-opus-5", 1_000_000, 128_000, 5_000_000, 25_000_000, fixed_temperature=True
            ),
            Model("claude-sonnet-4-6", 1_000_000, 64_000, 3_000_000, 15_000_000),
            Model("claude-sonnet-4-5", 200_000, 64_000, 3_000_000, 15_000_000),
        ),
        about="Claude models",
        source="https://platform.claude.com/docs/en/about-claude/pricing",
        noted_on="2026-09-07",
        list_key_header="x-api-key",
        list_headers=(("anthropic-version", "2023-06-01"),),
    ),
    Vendor(
        "google",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "gemini-3.8-flash",
        (
            Model("gemini-3.8-flash", 1_048_576, 65_536, 750_000, 3_750_000),
            Model("gemini-3.5-flash-lite", 0, 0, 300_000, 2_500_000),
            Model("gemini-3.1-flash-lite", 0, 0, 250_000, 1_500_000),
            Model("gemini-3.1-pro-preview", 1_048_576, 65_536, 2_000_000, 12_000_000),
            Model("gemini-2.5-flash", 1_048_576, 65_536, 300_000, 2_500_000),
            Model("gemini-2.5-pro", 1_048_576, 65_536, 1_250_000, 10_000_000),
        ),
        about="Gemini models",
        source="https://ai.google.dev/gemini-api/docs/pricing",
        noted_on="2026-09-07",
        remark=(
            "gemini-3.8-flash costs twice as much from 1 January 2027. Prompts of more than "
            "200,000 tokens cost more with the pro models."
        ),
    ),
    Vendor(
        "meta",
        "Meta",
        "https://api.meta.ai/v1",
        "muse-spark-1.3",
        (
            Model("muse-spark-1.3", 1_048_576, 131_072, 1_250_000, 4_250_000),
            Model("muse-spark-1.2", 1_048_576, 0, 1_250_000, 4_250_000),
            Model("muse-spark-1.1", 1_048_576, 131_072, 1_250_000, 4_250_000),
        ),
        about="Muse models, by the Meta Model API",
        source="https://dev.meta.ai/docs/pricing-rate-limits",
        noted_on="2026-09-02",
        remark="Meta ended its Llama API on 6 July 2026; this is what came after it.",
        answer_limit_field="max_completion_tokens",
    ),
    Vendor(
        "mistral",
        "Mistral AI",
        "https://api.mistral.ai/v1",
        "mistral-small-latest",
        (
            Model("mistral-small-latest", 256_000, 256_000, 150_000, 600_000),
            Model("mistral-medium-latest", 0, 0, 1_500_000, 7_500_000),
            Model("mistral-large-latest", 262_144, 262_144, 500_000, 1_500_000),
            Model("codestral-latest", 0, 0, 300_000, 900_000),
            Model("ministral-8b-latest", 0, 0, 150_000, 150_000),
        ),
        about="Mistral models, served from Europe",
        source="https://mistral.ai/pricing/api",
        noted_on="2026-09-07",
        stream_usage=False,
    ),
    Vendor(
        "cohere",
        "Cohere",
        "https://api.cohere.ai/compatibility/v1",
        "command-a-plus-05-2026",
        (
            Model("command-a-plus-05-2026", 128_000, 64_000),
            Model("command-a-03-2025", 256_000, 8_000),
            Model("command-r7b-12-2024", 128_000, 4_000),
            Model("command-r-plus-08-2024", 128_000, 4_000, 2_500_000, 10_000_000),
        ),
        about="Command models",
        source="https://cohere.com/pricing",
        noted_on="2026-09-07",
        remark="Cohere tells no price for its Command A models.",
        stream_usage=False,
    ),
    Vendor(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com",
        "deepseek-flash",
        (
            Model("deepseek-flash", 1_000_000, 384_000, 300_000, 1_200_000),
            Model("deepseek-v4-pro", 1_000_000, 384_000, 1_320_000, 3_960_000),
        ),
        about="DeepSeek models",
        source="https://api-docs.deepseek.com/quick_start/pricing",
        noted_on="2026-11-15",
        remark="Noted are the prices of the busy hours; at other times it takes half.",
    ),
)
