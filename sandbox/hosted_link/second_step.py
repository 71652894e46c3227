"""The pages of a second step, after the log-in. Rounds, questions and answers count from 0."""

from sandbox.hosted_link.sessions import Page
from sandbox.log_ins import LogIn, SecondStep

CODE = "1234"
_DEVICES = ["Text message to (***) ***-0123", "Email to u***@example.com"]


def pages_of(log_in: LogIn) -> list[Page]:
    """Return the pages that follow a log-in, in their order."""
    if log_in.yes_or_no:
        question = "You have one selection. Do you want to go on?"
        return [Page("selections", [question], ["Yes"], [["Yes", "No"]])]
    mfa = log_in.mfa or SecondStep()
    match mfa.type:
        case "device":
            send_to = Page("device", ["Send a code"], [_DEVICES[0]], [_DEVICES])
            return [send_to, Page("code", ["Code"], [CODE])]
        case "questions":
            rounds = mfa.question_rounds or 1
            return [_questions(i, mfa.questions_per_round or 1) for i in range(rounds)]
        case "selections":
            rounds = mfa.selection_rounds or 1
            count, options = mfa.questions_per_round or 2, mfa.selections_per_question or 2
            return [_selections(i, count, options) for i in range(rounds)]
    return []


def _questions(round_: int, count: int) -> Page:
    questions = [f"Question {j} of round {round_}" for j in range(count)]
    return Page("questions", questions, [f"answer_{round_}_{j}" for j in range(count)])


def _selections(round_: int, count: int, options: int) -> Page:
    questions = [f"Selection {j} of round {round_}" for j in range(count)]
    choices = [[f"answer_{round_}_{j}_{k}" for k in range(options)] for j in range(count)]
    return Page("selections", questions, [choice[0] for choice in choices], choices)


def is_right(page: Page, answers: list[str]) -> bool:
    """Return whether these are the answers. Any listed device can receive the code."""
    if page.kind == "device":
        return len(answers) == 1 and answers[0] in page.options[0]
    return [answer.strip() for answer in answers] == page.answers
