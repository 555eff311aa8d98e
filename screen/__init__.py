"""What the user asks and gets: campaign file, criteria, ranking, report, the command line."""
