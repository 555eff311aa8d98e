"""The one exception that bad input to the screen raises."""


class CampaignError(ValueError):
    """A campaign, ranking or report cannot be made as asked; the message is one line."""
