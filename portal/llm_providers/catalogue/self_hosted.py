"""Those that run on a machine of one's own, and any other endpoint of the protocol."""

from portal.llm_providers.catalogue.vendor import Model, Vendor

DEMO = Vendor(
    "demo",
    "Demo (answers without a model)",
    "",
    "demo",
    (Model("demo", 128_000, 4_096),),
    about="Answers without a model, for trying out",
    source="",
    noted_on="2026-11-27",
    needs_key=False,
    private_address=True,
    is_free=True,
)

SELF_HOSTED: tuple[Vendor, ...] = (
    Vendor(
        "ollama",
        "Ollama",
        "http://127.0.0.1:11434/v1",
        "llama3.2",
        (Model("llama3.2", 131_072), Model("qwen3", 40_960), Model("gemma3", 131_072)),
        about="Open models on your own machine",
        source="https://docs.ollama.com/openai",
        noted_on="2026-11-27",
        remark="Limits are the models’ own; Ollama answers with what it was started with.",
        needs_key=False,
        private_address=True,
        is_free=True,
    ),
    Vendor(
        "vllm",
        "vLLM",
        "",
        "",
        (),
        about="A model on your own server",
        source="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        noted_on="2026-11-27",
        remark="The name of the model is the one that vLLM was started with.",
        example_url="http://127.0.0.1:8000/v1",
        needs_key=False,
        private_address=True,
        is_free=True,
    ),
    Vendor(
        "own",
        "Another one",
        "",
        "",
        (),
        about="Any endpoint of the OpenAI chat protocol",
        source="",
        noted_on="2026-11-27",
        example_url="https://llm.example.com/v1",
    ),
)
