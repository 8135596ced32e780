"""One answer for each of very many names, from public resolvers that share the work."""

from collections.abc import Sequence

from portal.dns import Answer, Resolver
from portal.dns.sweep import ask_many
from portal.dns.sweep_servers import Question

Address = tuple[str, int]
Lookup = tuple[str, str]


def shared_out(
    resolvers: Sequence[Address], lookups: Sequence[Lookup], *, timeout: float = 3.0
) -> list[Answer]:
    """Each (name, type) asked of one resolver; what could not be asked, once more of the next."""
    answers: list[Answer] = [Answer("could_not_ask", trouble="unreachable")] * len(lookups)
    if not resolvers:
        return answers
    left = list(range(len(lookups)))
    for turn in range(min(len(resolvers), 2)):
        numbers: dict[int, int] = {}
        questions = []
        for number in left:
            server = resolvers[(number + turn) % len(resolvers)]
            questions.append(Question(*lookups[number], server, recursive=True))
            numbers[id(questions[-1])] = number
        for question, answer in ask_many(questions, timeout=timeout):
            answers[numbers[id(question)]] = answer
        left = [number for number in left if answers[number].status == "could_not_ask"]
    return answers


def one_by_one(resolver: Resolver, lookups: Sequence[Lookup]) -> list[Answer]:
    """The same for a resolver that has nothing quicker."""
    return [(resolver.public(*one) or resolver.authority(*one))[0] for one in lookups]
