"""What is run in what order: jobflow jobs and Makers, their stages, progress and runners."""
