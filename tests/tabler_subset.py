"""Cuts static/tabler.css out of the vendored Tabler: the rules whose classes our templates use.

The whole file is 79 KB compressed, more than half of what a first visit may weigh. Run
`python tests/tabler_subset.py` after a template uses another class of Tabler; a test compares.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "static" / "vendor" / "tabler" / "tabler.min.css"
TARGET = ROOT / "static" / "tabler.css"
HEAD = (
    "/* Tabler 1.6.1, MIT, vendor/tabler/LICENSE: the rules in use,"
    " cut by tests/tabler_subset.py. */\n"
)
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
# Attributes we never write: themes, layouts and the calendar of another library.
FOREIGN = re.compile(r"\[data-(?:bs-(?!theme[=\]])|vc)|::-webkit-calendar|#tblr")


def rules_of(source: str) -> Iterator[tuple[str, str]]:
    """Pairs of what stands before the braces and what stands in them, one level deep."""
    depth, start, head = 0, 0, ""
    for match in re.finditer(r"\\.|\"[^\"]*\"|'[^']*'|/\*.*?\*/|[{};]", source, re.DOTALL):
        sign = match.group()
        if sign == "{":
            if depth == 0:
                head, start = source[start : match.start()].strip(), match.end()
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                yield head, source[start : match.start()]
                start = match.end()
        elif depth == 0 and sign.startswith((";", "/*")):
            start = match.end()


def split_selectors(selectors: str) -> list[str]:
    """Splits at the commas that stand in no parentheses and no quotes."""
    parts, depth = [""], 0
    for sign in re.findall(r"\"[^\"]*\"|\\.|.", selectors, re.DOTALL):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def is_used(selector: str, used: set[str]) -> bool:
    outside_not = re.sub(r":not\([^)]*\)", "", selector)
    return set(CLASS.findall(outside_not)) <= used and not FOREIGN.search(selector)


def cut(source: str, used: set[str]) -> list[tuple[str, str]]:
    kept = []
    for head, body in rules_of(source):
        if head.startswith("@keyframes"):
            kept.append((head, body))
        elif head.startswith(("@media", "@supports", "@container")):
            inner = "".join(f"{name}{{{rule}}}" for name, rule in cut(body, used))
            kept += [(head, inner)] if inner else []
        elif not head.startswith("@"):
            selectors = [one for one in split_selectors(head) if is_used(one, used)]
            kept += [(",".join(selectors), body)] if selectors else []
    return kept


def keep_if_in(read: set[str]) -> Callable[[re.Match[str]], str]:
    return lambda found: found.group() if found.group(1) in read else ""


def without_unread_variables(css: str, read_elsewhere: str) -> str:
    """Drops definitions of custom properties that nothing reads, until none is left to drop."""
    definition = re.compile(r"(?<=[{;])(--[\w-]+):(?:[^;{}\"]|\"[^\"]*\")*(?:;|(?=}))")
    while True:
        read = set(re.findall(r"var\(\s*(--[\w-]+)", css + read_elsewhere))
        shorter = definition.sub(keep_if_in(read), css)
        if shorter == css:
            return re.sub(r"[^{}]+\{\}", "", css)
        css = shorter


def words_of_the_pages() -> set[str]:
    """Every quoted word in templates and scripts: classes are among them, the rest is harmless.

    Mails know no style sheet.
    """
    pages = set((ROOT / "templates").rglob("*.html")) - set((ROOT / "templates/mails").rglob("*"))
    paths = [*pages, *(ROOT / "static").glob("*.js")]
    sources = [path.read_text() for path in paths]
    quoted = [part for one in sources for part in re.findall(r"\"[^\"]*\"", one)]
    quoted += [part for one in sources for part in re.findall(r"'[^']*'", one)]
    return {word for part in quoted for word in re.findall(r"[A-Za-z_][\w-]*", part)}


def subset() -> str:
    kept = cut(SOURCE.read_text(), words_of_the_pages())
    css = "".join(f"{head}{{{body}}}" for head, body in kept)
    own = (ROOT / "static" / "portal.css").read_text()
    css = without_unread_variables(css, own)
    for name in re.findall(r"@keyframes ([\w-]+)", css):
        if not re.search(rf"animation[\w-]*:[^;}}]*\b{name}\b", css):
            css = re.sub(rf"@keyframes {name}\{{(?:[^{{}}]*\{{[^{{}}]*\}})*[^{{}}]*\}}", "", css)
    return HEAD + css.replace("}", "}\n")


if __name__ == "__main__":
    TARGET.write_text(subset())
