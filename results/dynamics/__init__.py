"""What molecular dynamics says: pure functions of arrays of frames, with block errors.

Lengths in Å, times in ps, energies in eV, temperatures in K. The normal of an interface is that of
the cell's a-b plane. Nothing here runs anything or reads a file.
"""
