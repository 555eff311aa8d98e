"""Density-functional theory as a potential: named settings, GPAW, and reference frames."""
