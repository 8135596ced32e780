"""What is told of a vendor and of its models."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """One model. Limits in tokens, 0 where unknown.

    Prices are micro-units of the vendor's currency (US dollars) for a million tokens, so that
    2_500_000 reads 2.50 dollars a million; both are 0 where unknown. `noted_on` is there where
    the vendor's day is not this model's. One with `fixed_temperature` refuses a chosen one.
    """

    name: str
    context_tokens: int = 0
    max_output_tokens: int = 0
    input_price: int = 0
    output_price: int = 0
    noted_on: str = ""
    fixed_temperature: bool = False


@dataclass(frozen=True)
class Vendor:
    """Where a vendor listens and what is particular about it.

    An empty `base_url` is one that the account or the portal's own settings must give; an empty
    `default_model` is open. `source` is the page that tells the prices, `noted_on` the ISO day on
    which it told these. One that `is_free` bills nobody, whatever the model. The list of models is
    asked with `list_key_header` instead of a Bearer token where that is set, and with
    `list_headers`; one that `lists_without_key` says nothing about a key by listing them.
    """

    name: str
    label: str
    base_url: str
    default_model: str
    models: tuple[Model, ...]
    about: str
    source: str
    noted_on: str
    remark: str = ""
    example_url: str = ""
    needs_key: bool = True
    private_address: bool = False
    is_free: bool = False
    answer_limit_field: str = "max_tokens"
    stream_usage: bool = True
    lists_without_key: bool = False
    list_key_header: str = ""
    list_headers: tuple[tuple[str, str], ...] = ()

    def model(self, name: str) -> Model | None:
        """The model by its name, where the catalogue knows it."""
        return next((model for model in self.models if model.name == name), None)

    def first_of(self, names: Iterable[str]) -> Model | None:
        """The first of these names that the catalogue knows."""
        return next((model for name in names if (model := self.model(name))), None)

    def noted(self, model: Model) -> str:
        """The day on which the figures of a model were on the source page."""
        return model.noted_on or self.noted_on
