"""Thermodynamics of compounds from energies of one source: hulls, voltages, windows, reactions."""
