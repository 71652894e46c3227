"""The second step of a log-in, as the password of user_good asks for it.

https://plaid.com/docs/sandbox/test-credentials/. Rounds, questions and answers count from 0.
"""

import re

from sandbox.hosted_link.sessions import SecondStep
from sandbox.users import GOOD

CODE = "1234"
_DEVICES = ["Text message to (***) ***-0123", "Email to u***@example.com"]
_QUESTIONS = re.compile(r"mfa_questions_(\d)_(\d)")
_SELECTIONS = re.compile(r"mfa_selections_(\d)_(\d)_(\d)")


def second_steps(username: str, password: str) -> list[SecondStep]:
    """Return the pages that follow this log-in, in their order."""
    if username != GOOD:
        return []
    match password:
        case "mfa_device":
            send_to = SecondStep("device", ["Send a code"], [_DEVICES[0]], [_DEVICES])
            return [send_to, SecondStep("code", ["Code"], [CODE])]
        case "mfa_selections":
            question = "You have one selection. Do you want to go on?"
            return [SecondStep("selections", [question], ["Yes"], [["Yes", "No"]])]
    if found := _QUESTIONS.fullmatch(password):
        rounds, per_round = map(int, found.groups())
        return [_questions(i, per_round) for i in range(rounds)]
    if found := _SELECTIONS.fullmatch(password):
        rounds, per_round, options = map(int, found.groups())
        return [_selections(i, per_round, options) for i in range(rounds)]
    return []


def _questions(round_: int, count: int) -> SecondStep:
    questions = [f"Question {j} of round {round_}" for j in range(count)]
    return SecondStep("questions", questions, [f"answer_{round_}_{j}" for j in range(count)])


def _selections(round_: int, count: int, options: int) -> SecondStep:
    questions = [f"Selection {j} of round {round_}" for j in range(count)]
    choices = [[f"answer_{round_}_{j}_{k}" for k in range(options)] for j in range(count)]
    return SecondStep("selections", questions, [choice[0] for choice in choices], choices)


def is_right(step: SecondStep, answers: list[str]) -> bool:
    """Return whether these are the answers. Any listed device can receive the code."""
    if step.kind == "device":
        return len(answers) == 1 and answers[0] in step.options[0]
    return [answer.strip() for answer in answers] == step.answers
