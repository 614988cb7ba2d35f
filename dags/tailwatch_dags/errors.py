"""What is wrong with dvc.yaml, params.yaml or the environment: Airflow shows it as the DAG's import error."""


class GraphError(ValueError):
    """A stage that cannot be scheduled.

    Args:
        stage: its name, which opens the message.
        came: what is wrong.
        wanted: what would be right.
    """

    def __init__(self, stage: str, came: str, wanted: str) -> None:
        super().__init__(f"stage {stage}: {came}. Wanted: {wanted}.")


class SettingError(ValueError):
    """A variable of the environment that says nothing usable."""

    def __init__(self, variable: str, came: str, wanted: str) -> None:
        super().__init__(f"{variable} is {came!r}. Wanted: {wanted}.")
