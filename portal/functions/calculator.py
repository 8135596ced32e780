"""Arithmetic for models, in decimal: bounded in length, depth and size, so nothing can hang.

Numbers have 100 digits and exponents up to 9,999; what is rounded is told in 15 digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Any

from portal.errors import PortalError

LONGEST = 500
DEEPEST = 40
DIGITS = 100
SHOWN_DIGITS = 15
MOST_EXPONENT = 9_999
MOST_FACTORIAL = 1_000
MOST_ARGUMENTS = 50
PARAMETERS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "expression": {
            "type": "string",
            "description": (
                "For example (3 + 4) * 2.5. Operators + - * / // % **, parentheses, pi, e, and "
                "sqrt, abs, round, floor, ceil, min, max, sum, log, log10, log2, exp, factorial, "
                "sin, cos, tan, asin, acos, atan, degrees, radians."
            ),
        }
    },
    "required": ["expression"],
    "additionalProperties": False,
}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,6})?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<sign>\*\*|//|[-+*/%^(),]))",
    re.ASCII,
)
_SAME = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})


class CalculatorError(PortalError):
    """This expression has no result; the sentence tells the model why."""


def run(arguments: Mapping[str, Any], now: datetime) -> str:
    """The result of `expression`, as `expression = result`. Raises CalculatorError."""
    expression = arguments.get("expression")
    if isinstance(expression, int | float) and not isinstance(expression, bool):
        expression = str(expression)
    if not isinstance(expression, str) or not expression.strip():
        raise CalculatorError("Give an expression, such as (3 + 4) * 2.5.")
    if len(expression) > LONGEST:
        raise CalculatorError(f"The expression is longer than {LONGEST} characters.")
    return f"{' '.join(expression.split())} {_calculated(expression)}"


def _calculated(expression: str) -> str:
    context = Context(prec=DIGITS, Emin=-MOST_EXPONENT, Emax=MOST_EXPONENT, capitals=0)
    context.traps[Overflow] = context.traps[DivisionByZero] = True
    context.traps[InvalidOperation] = True
    try:
        value = _Calculation(expression, context).value()
    except Overflow as error:
        raise CalculatorError("The result is too large for this calculator.") from error
    except DivisionByZero as error:
        raise CalculatorError("Division by zero has no result.") from error
    except (DecimalException, ValueError, OverflowError, ZeroDivisionError) as error:
        raise CalculatorError("This has no result among the real numbers.") from error
    return _shown(value, is_rounded=bool(context.flags[Inexact]))


def _shown(value: Decimal, *, is_rounded: bool) -> str:
    if is_rounded:
        value = Context(prec=SHOWN_DIGITS).plus(value)
    if value == 0:
        return "≈ 0" if is_rounded else "= 0"
    is_short = -SHOWN_DIGITS <= value.adjusted() <= (SHOWN_DIGITS if is_rounded else DIGITS)
    text = f"{value:f}" if is_short else f"{value.normalize():e}"
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return f"{'≈' if is_rounded else '='} {text}"


class _Calculation:
    """One expression on its way to a value, by recursive descent over its tokens."""

    def __init__(self, expression: str, context: Context) -> None:
        self._context = context
        self._tokens = _tokens(expression.translate(_SAME))
        self._at = 0
        self._depth = 0

    def value(self) -> Decimal:
        """The value of the whole text. Raises CalculatorError and what `decimal` raises."""
        found = self._sum()
        if self._next():
            raise CalculatorError(f"{self._next()} is not expected there.")
        return found

    def _next(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _took(self, *signs: str) -> str:
        """The next token, if it is one of these."""
        found = self._next()
        if found in signs and found:
            self._at += 1
            return found
        return ""

    def _sum(self) -> Decimal:
        left = self._product()
        while sign := self._took("+", "-"):
            right = self._product()
            both = self._context.add if sign == "+" else self._context.subtract
            left = both(left, right)
        return left

    def _product(self) -> Decimal:
        left = self._signed()
        while sign := self._took("*", "/", "//", "%"):
            left = self._multiplied(left, sign, self._signed())
        return left

    def _multiplied(self, left: Decimal, sign: str, right: Decimal) -> Decimal:
        if sign == "*":
            return self._context.multiply(left, right)
        if right == 0:
            raise CalculatorError("Division by zero has no result.")
        if sign == "/":
            return self._context.divide(left, right)
        whole = self._context.divide_int(left, right)
        rest = self._context.remainder(left, right)
        if rest and (rest < 0) != (right < 0):  # rounded down, as in mathematics
            whole, rest = self._context.subtract(whole, Decimal(1)), self._context.add(rest, right)
        return whole if sign == "//" else rest

    def _signed(self) -> Decimal:
        self._depth += 1
        if self._depth > DEEPEST:
            raise CalculatorError(f"The expression is nested deeper than {DEEPEST} levels.")
        sign = self._took("+", "-")
        found = self._signed() if sign else self._power()
        self._depth -= 1
        return self._context.minus(found) if sign == "-" else found

    def _power(self) -> Decimal:
        base = self._atom()
        if not self._took("**", "^"):
            return base
        exponent = self._signed()
        if base == 0 and exponent <= 0:
            if exponent:
                raise CalculatorError("Division by zero has no result.")
            return Decimal(1)
        return self._context.power(base, exponent)

    def _atom(self) -> Decimal:
        if self._at >= len(self._tokens):
            raise CalculatorError("The expression ends too early.")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return self._context.create_decimal(text)
        if kind == "name":
            return self._named(text.lower())
        if text == "(":
            found = self._sum()
            self._close()
            return found
        raise CalculatorError(f"{text} is not expected there.")

    def _close(self) -> None:
        if not self._took(")"):
            raise CalculatorError("A parenthesis is not closed.")

    def _named(self, name: str) -> Decimal:
        if name in _CONSTANTS and self._next() != "(":
            self._context.flags[Inexact] = True
            return _CONSTANTS[name]
        function = _FUNCTIONS.get(name)
        if function is None or not self._took("("):
            raise CalculatorError(f"There is nothing named {name[:40]} here.")
        arguments = [self._sum()]
        while self._took(","):
            arguments.append(self._sum())
        self._close()
        if len(arguments) > MOST_ARGUMENTS:
            raise CalculatorError(f"{name} takes at most {MOST_ARGUMENTS} numbers.")
        try:
            return function(self._context, *arguments)
        except TypeError as error:
            raise CalculatorError(f"{name} takes another number of arguments.") from error


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise CalculatorError(f"{text[at:].strip()[:1]} is not understood in an expression.")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


def _by_float(function: Callable[[float], float]) -> Callable[..., Decimal]:
    """A function of `math`, which is exact to 15 digits."""

    def of(context: Context, value: Decimal) -> Decimal:
        context.flags[Inexact] = True
        return context.create_decimal_from_float(function(float(value)))

    return of


def _to_whole(rounding: str) -> Callable[..., Decimal]:
    def of(context: Context, value: Decimal) -> Decimal:
        return value.to_integral_value(rounding=rounding)

    return of


def _rounded(context: Context, value: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    if places != int(places) or abs(places) > SHOWN_DIGITS:
        raise CalculatorError(f"round takes 0 to {SHOWN_DIGITS} places.")
    was_rounded = context.flags[Inexact]
    kept = context.copy()
    kept.rounding = ROUND_HALF_UP
    found = kept.quantize(value, Decimal(1).scaleb(-int(places)))
    context.flags[Inexact] = was_rounded
    return found


def _logarithm(context: Context, value: Decimal, base: Decimal | None = None) -> Decimal:
    if value <= 0 or (base is not None and (base <= 0 or base == 1)):
        raise CalculatorError("Only positive numbers have a logarithm.")
    found = context.ln(value)
    return found if base is None else context.divide(found, context.ln(base))


def _log10(context: Context, value: Decimal) -> Decimal:
    if value <= 0:
        raise CalculatorError("Only positive numbers have a logarithm.")
    return context.log10(value)


def _factorial(context: Context, value: Decimal) -> Decimal:
    if value != value.to_integral_value() or not 0 <= value <= MOST_FACTORIAL:
        raise CalculatorError(f"factorial takes whole numbers from 0 to {MOST_FACTORIAL:,}.")
    return context.create_decimal(math.factorial(int(value)))


def _sum_of(context: Context, *values: Decimal) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = context.add(total, value)
    return total


_CONSTANTS = {
    "pi": Decimal("3.14159265358979323846264338327950288419716939937510582097494"),
    "e": Decimal("2.71828182845904523536028747135266249775724709369995957496697"),
}
_FUNCTIONS: dict[str, Callable[..., Decimal]] = {
    "sqrt": lambda context, value: context.sqrt(value),
    "abs": lambda context, value: context.abs(value),
    "exp": lambda context, value: context.exp(value),
    "min": lambda context, *values: min(values),
    "max": lambda context, *values: max(values),
    "sum": _sum_of,
    "round": _rounded,
    "floor": _to_whole(ROUND_FLOOR),
    "ceil": _to_whole(ROUND_CEILING),
    "log": _logarithm,
    "ln": lambda context, value: _logarithm(context, value),
    "log10": _log10,
    "log2": lambda context, value: _logarithm(context, value, Decimal(2)),
    "factorial": _factorial,
    **{
        name: _by_float(getattr(math, name))
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "degrees", "radians")
    },
}
