"""What the app's contract with Plaid allows, for the pages that connect banks."""

from flask import current_app

from plaidapp.store.connections import link_results

from ..base.blueprint import blueprint


@blueprint.app_template_global()
def has_test_banks() -> bool:
    """Plaid's test banks exist in its sandbox only."""
    return bool(current_app.config["PLAIDAPP"].plaid_env == "sandbox")


@blueprint.app_template_global()
def items_used() -> tuple[int, int] | None:
    """Return how many Items were made and how many the plan allows. None if that is not limited."""
    limit: int | None = current_app.config["PLAIDAPP"].plaid_item_limit
    return (link_results.count_items(), limit) if limit is not None else None
