"""The recipe that makes a small MACE network out of a teacher, or out of a user's DFT frames."""
