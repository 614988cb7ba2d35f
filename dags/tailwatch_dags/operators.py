"""A task that calls `tailwatch` on the worker's own machine: modes local and celery."""

import os
from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tailwatch_dags.answers import AnswerError, checked, explain, is_final, last_answer
from tailwatch_dags.command import Command, environment, find_program
from tailwatch_dags.errors import SettingError
from tailwatch_dags.links import MlflowLink, ReportLink
from tailwatch_dags.settings import check_project, project_folder


class TailwatchOperator(BaseOperator):
    """Calls `tailwatch ARGUMENTS`; its answer becomes the task's XCom.

    Args:
        arguments: those that render to nothing are left out.
        answers: whether the command ends with one line of JSON.
    """

    template_fields = ("arguments",)
    operator_extra_links = (MlflowLink(), ReportLink())
    ui_color = "#e8f0f8"

    def __init__(self, *, arguments: Sequence[str], answers: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.arguments = arguments
        self.answers = answers
        self.answer: dict[str, Any] | None = None
        self._command: Command | None = None

    def execute(self, context: Any) -> dict[str, Any] | None:  # noqa: ARG002
        """Run the command.

        Raises:
            AirflowFailException: it failed, and a retry cannot help.
            AirflowException: it failed otherwise.
        """
        folder = project_folder()
        try:
            check_project()
            program = find_program(os.environ, folder)
        except (FileNotFoundError, SettingError) as error:
            raise AirflowFailException(str(error)) from error
        argv = [program, *filter(None, self.arguments)]
        self.log.info("%s in %s", " ".join(argv), folder)
        self._command = Command(argv, folder, environment(os.environ, program), self.log.info)
        end(self._command.wait())
        self.answer = take(self._command.said) if self.answers else None
        return self.answer

    def on_kill(self) -> None:
        """Let the command write its checkpoint, then end it."""
        if self._command is not None:
            self._command.stop()


def end(code: int) -> None:
    """Turn an exit code into the task's outcome.

    Raises:
        AirflowFailException: a retry cannot help.
        AirflowException: a retry may help.
    """
    if code:
        raise (AirflowFailException if is_final(code) else AirflowException)(explain(code))


def take(lines: Sequence[str]) -> dict[str, Any]:
    """The answer among what a command wrote.

    Raises:
        AirflowFailException: there is none that may be handed on.
    """
    try:
        return checked(last_answer(lines))
    except AnswerError as error:
        raise AirflowFailException(str(error)) from error
